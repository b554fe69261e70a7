"""Every setting there is, as one typed model; `docs/settings.md` is the same table for readers."""

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import BeforeValidator, Field, JsonValue, SecretStr
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from processors.settings import values
from processors.settings.values import Address, ApiToken, Network, SqliteFile
from schemas.signature import Secrets

PREFIX: Final = "AGORA_EVENTS_"
DOTENV: Final = ".env"


def _setting(name: str, what: str, *, example: str, default: Any = None, secret: bool = False, **limits: Any) -> Any:
    """A field read from the variable `name`; a secret may also come from the file that `<name>_FILE` names."""
    extra: dict[str, JsonValue] = {"example": example, "secret": secret}
    return Field(default=default, validation_alias=name, description=what, json_schema_extra=extra, **limits)


class Settings(BaseSettings):
    """What the environment says. Secrets are `SecretStr`: no repr, error or log line shows them."""

    model_config = SettingsConfigDict(
        env_file=DOTENV,
        env_file_encoding="utf-8",
        case_sensitive=True,
        env_ignore_empty=True,
        extra="ignore",  # names that are not ours are not our business; `load` refuses unknown ones that are
        frozen=True,
        hide_input_in_errors=True,
        validate_default=False,
    )

    log: Annotated[SqliteFile, NoDecode, BeforeValidator(values.log_file)] = _setting(
        f"{PREFIX}LOG",
        "Where the log is: `sqlite:///relative.db`, or `sqlite:////absolute.db` with four slashes",
        example="sqlite:////var/lib/agora-events/log.db",
        default=SqliteFile(Path("agora-events-data/log.db")),
    )
    data: Path = _setting(
        f"{PREFIX}DATA",
        "Folder for what this process keeps beside the log; two processes of one role never share one",
        example="/var/lib/agora-events",
        default=Path("agora-events-data"),
    )
    listen: Annotated[Address, NoDecode, BeforeValidator(values.address)] = _setting(
        f"{PREFIX}LISTEN",
        "host:port to serve on; port 0 lets the system choose",
        example="0.0.0.0:8080",
        default=Address("127.0.0.1", 8080),
    )
    control_listen: Annotated[Address | None, NoDecode, BeforeValidator(values.address)] = _setting(
        f"{PREFIX}CONTROL_LISTEN",
        "host:port of everything but `/notifications`, `/livez` and `/readyz`; unset: the same as LISTEN",
        example="127.0.0.1:8081",
    )
    trusted_proxies: Annotated[tuple[Network, ...], NoDecode, BeforeValidator(values.networks)] = _setting(
        f"{PREFIX}TRUSTED_PROXIES",
        "CIDRs whose `X-Forwarded-For` counts",
        example="10.0.0.0/8,fd00::/8",
        default=(),
    )
    notification_secrets: Annotated[Mapping[str, tuple[SecretStr, ...]], NoDecode, BeforeValidator(values.secrets)] = (
        _setting(
            f"{PREFIX}NOTIFICATION_SECRETS",
            "JSON object, source name to one secret or a list (rotation); `receive` and `all` refuse to start without",
            example='{"transcoder":["new","old"],"push":"s"}',
            default={},
            secret=True,
        )
    )
    accept_v1: bool = _setting(
        f"{PREFIX}ACCEPT_V1",
        "Whether `Agora-Signature` (HMAC-SHA1) is enough when `Agora-Signature-V2` is missing",
        example="false",
        default=True,
    )
    api_tokens: Annotated[Mapping[str, ApiToken], NoDecode, BeforeValidator(values.tokens)] = _setting(
        f"{PREFIX}API_TOKENS",
        'JSON object, token name to token (may operate) or `{"token":"…","role":"read|operate"}`, for the control API',
        example='{"ops":"a-long-random-text","wallboard":{"token":"another-long-text","role":"read"}}',
        default={},
        secret=True,
    )
    seal_keys: Annotated[tuple[SecretStr, ...], NoDecode, BeforeValidator(values.seal_keys)] = _setting(
        f"{PREFIX}SEAL_KEYS",
        "JSON list of Fernet keys: the first seals, all open; unset: generated beside the SQLite file, mode 0600",
        example='["URL-safe base64 of 32 bytes"]',
        default=(),
        secret=True,
    )
    retention_days: float = _setting(
        f"{PREFIX}RETENTION_DAYS",
        "Days a record stays on the log; compacted topics keep the newest record of each key",
        example="7",
        default=7.0,
        gt=0,
        le=36_500,
        allow_inf_nan=False,
    )
    retention_bytes: Annotated[int, NoDecode, BeforeValidator(values.size)] = _setting(
        f"{PREFIX}RETENTION_BYTES",
        "Size of the log beyond which the oldest records go before their days are over",
        example="8GiB",
        default=8 * 2**30,
    )
    lost_after_days: float = _setting(
        f"{PREFIX}LOST_AFTER_DAYS",
        "Days without news after which a running task is let go of",
        example="7",
        default=7.0,
        gt=0,
        le=36_500,
        allow_inf_nan=False,
    )
    log_level: Annotated[Literal["debug", "info", "warning", "error"], BeforeValidator(values.lowered)] = _setting(
        f"{PREFIX}LOG_LEVEL", "The least important line written", example="info", default="info"
    )
    log_format: Annotated[Literal["console", "json"] | None, BeforeValidator(values.lowered)] = _setting(
        f"{PREFIX}LOG_FORMAT", "How lines are written; unset: `console` on a terminal, else `json`", example="json"
    )

    kafka_security_protocol: Annotated[
        Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"], BeforeValidator(values.raised)
    ] = _setting(
        f"{PREFIX}KAFKA_SECURITY_PROTOCOL", "How to speak to the brokers", example="SASL_SSL", default="PLAINTEXT"
    )
    kafka_sasl_mechanism: Annotated[
        Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] | None, BeforeValidator(values.raised)
    ] = _setting(f"{PREFIX}KAFKA_SASL_MECHANISM", "How to prove who we are", example="SCRAM-SHA-512")
    kafka_username: str | None = _setting(f"{PREFIX}KAFKA_USERNAME", "SASL user name", example="agora-events")
    kafka_password: SecretStr | None = _setting(
        f"{PREFIX}KAFKA_PASSWORD", "SASL password", example="the user's password", secret=True
    )
    kafka_ssl_cafile: Path | None = _setting(
        f"{PREFIX}KAFKA_SSL_CAFILE", "Certificates to trust", example="/etc/agora-events/ca.pem"
    )
    kafka_ssl_certfile: Path | None = _setting(
        f"{PREFIX}KAFKA_SSL_CERTFILE", "Our certificate", example="/etc/agora-events/client.pem"
    )
    kafka_ssl_keyfile: Path | None = _setting(
        f"{PREFIX}KAFKA_SSL_KEYFILE", "The key of our certificate", example="/etc/agora-events/client.key"
    )
    kafka_replication_factor: int = _setting(
        f"{PREFIX}KAFKA_REPLICATION_FACTOR", "Copies of each topic that is created", example="3", default=3, ge=1
    )
    kafka_partitions: int = _setting(
        f"{PREFIX}KAFKA_PARTITIONS", "Partitions of each topic that is created", example="12", default=12, ge=1
    )

    app_id: str | None = _setting("AGORA_APP_ID", "The vendor's App ID", example="32 hex digits")
    customer_id: str | None = _setting(
        "AGORA_CUSTOMER_ID", "User name of the vendor's REST API", example="32 hex digits"
    )
    customer_secret: SecretStr | None = _setting(
        "AGORA_CUSTOMER_SECRET", "Password of the vendor's REST API", example="32 hex digits", secret=True
    )
    app_certificate: SecretStr | None = _setting(
        "AGORA_APP_CERTIFICATE", "Signs RTC tokens", example="32 hex digits", secret=True
    )
    api_base_urls: Annotated[tuple[str, ...], NoDecode, BeforeValidator(values.origins)] = _setting(
        "AGORA_API_BASE_URLS",
        "Origins of the vendor's API, comma-separated, in order; unset: the vendor's",
        default=(),
        example="https://api.example.com",
    )

    alert_alertmanager_url: Annotated[str | None, BeforeValidator(values.url)] = _setting(
        f"{PREFIX}ALERT_ALERTMANAGER_URL", "Origin of an Alertmanager", example="http://alertmanager:9093"
    )
    alert_pagerduty_routing_key: SecretStr | None = _setting(
        f"{PREFIX}ALERT_PAGERDUTY_ROUTING_KEY", "Routing key of a PagerDuty service", example="32 digits", secret=True
    )
    alert_pagerduty_url: Annotated[str | None, BeforeValidator(values.url)] = _setting(
        f"{PREFIX}ALERT_PAGERDUTY_URL", "PagerDuty's address; unset: theirs", example="https://pagerduty.example.com/v2"
    )
    alert_slack_webhook_url: Annotated[SecretStr | None, BeforeValidator(values.secret_url)] = _setting(
        f"{PREFIX}ALERT_SLACK_WEBHOOK_URL",
        "A Slack incoming webhook",
        example="https://hooks.example.com/…",
        secret=True,
    )
    alert_webhook_url: Annotated[SecretStr | None, BeforeValidator(values.secret_url)] = _setting(
        f"{PREFIX}ALERT_WEBHOOK_URL",
        "Where alerts are posted as they are",
        example="https://example.com/a",
        secret=True,
    )
    alert_webhook_secret: Annotated[SecretStr | None, BeforeValidator(values.webhook_secret)] = _setting(
        f"{PREFIX}ALERT_WEBHOOK_SECRET", "Signs what is posted there", example="whsec_…", secret=True
    )

    dangerous_time_scale: float = _setting(
        f"{PREFIX}DANGEROUS_TIME_SCALE",
        "Divides every wait and multiplies every rate; for demos and tests",
        example="20",
        default=1.0,
        gt=0,
        le=1_000_000,
        allow_inf_nan=False,
    )

    @property
    def signing_secrets(self) -> Secrets:
        """The notification secrets as bytes, the form signatures are checked with."""
        return {
            source: tuple(secret.get_secret_value().encode() for secret in live)
            for source, live in self.notification_secrets.items()
        }

    @property
    def retention_age(self) -> timedelta:
        """How long a record stays on the log."""
        return timedelta(days=self.retention_days)

    @property
    def lost_after(self) -> timedelta:
        """How long a running task may be silent before it is let go of."""
        return timedelta(days=self.lost_after_days)

    @property
    def receive_only(self) -> bool:
        """Whether the vendor can not be asked, for want of credentials."""
        return self.app_id is None or self.customer_id is None or self.customer_secret is None
