"""Reading the settings once, at the start: everything that is wrong is said, one line each, or nothing is."""

from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path
from re import search
from typing import Any, Final

from pydantic import ValidationError
from pydantic.fields import FieldInfo
from pydantic_settings import DotEnvSettingsSource, EnvSettingsSource

from processors.settings.model import DOTENV, PREFIX, Settings

FILE: Final = "_FILE"
VENDOR_PREFIX: Final = "AGORA_"

# What Kubernetes puts into every container for a Service whose name begins with `agora-events`.
SERVICE_LINK: Final = r"_SERVICE_(HOST|PORT)(_\w+)?$|_PORT_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?$"
SERVICE_LINK_VALUE: Final = r"^(tcp|udp|sctp)://"


# Who sets the first and not the second has forgotten something.
NEEDS: Final = (
    ("customer_id", "app_id"),
    ("app_id", "customer_id"),
    ("customer_id", "customer_secret"),
    ("customer_secret", "customer_id"),
    ("app_certificate", "app_id"),
    ("kafka_username", "kafka_password"),
    ("kafka_password", "kafka_username"),
    ("kafka_ssl_keyfile", "kafka_ssl_certfile"),
    ("alert_webhook_url", "alert_webhook_secret"),
    ("alert_webhook_secret", "alert_webhook_url"),
    ("alert_pagerduty_url", "alert_pagerduty_routing_key"),
)


class SettingsError(Exception):
    """The settings can not be used; `lines` says each fault: name, what is wrong, what to do. No secret in any."""

    def __init__(self, lines: list[str]) -> None:
        super().__init__("\n".join(lines))
        self.lines = lines


def load(*, receives: bool = False) -> Settings:
    """The settings of this process: the environment over `.env`, secrets from files where `…_FILE` says so.

    `receives`: whether this role takes notifications and so needs their secrets. Raises SettingsError.
    """
    names = _names()
    files, faults = _secret_files(names)
    lines = [*_unknown(names), *faults]
    try:
        settings = Settings(**files)
    except ValidationError as error:
        raise SettingsError([*lines, *_refusals(error)]) from None
    lines += contradictions(settings)
    if receives and not settings.notification_secrets:
        lines.append(
            f"{_name('notification_secrets')}: not set, so no notification could be verified: copy the signing secret "
            'from the vendor\'s console and set {"transcoder":"<secret>"}'
        )
    if lines:
        raise SettingsError(lines)
    return settings


def fields() -> Mapping[str, FieldInfo]:
    """Every setting by the name of its variable, in the model's order."""
    return {str(field.validation_alias): field for field in Settings.model_fields.values()}


def note(field: FieldInfo, key: str) -> Any:
    """What the model notes about a field: its `example`, whether it is `secret`."""
    extra = field.json_schema_extra
    return extra.get(key) if isinstance(extra, dict) else None


def contradictions(settings: Settings) -> list[str]:
    """Settings that make no sense together, one line each."""
    lines: dict[str, None] = {}
    for given, needed in NEEDS:
        if getattr(settings, given) is not None and getattr(settings, needed) is None:
            line = f"{_name(needed)}: not set, but {_name(given)} is and needs it: set both or neither"
            lines[line] = None
    if settings.kafka_sasl_mechanism and not settings.kafka_security_protocol.startswith("SASL_"):
        line = f"{_name('kafka_security_protocol')}: {settings.kafka_security_protocol} uses no SASL mechanism: "
        lines[line + f"set SASL_SSL or SASL_PLAINTEXT, or unset {_name('kafka_sasl_mechanism')}"] = None
    return list(lines)


def warnings(settings: Settings) -> list[str]:
    """What works but should not be overlooked at the start, one line each."""
    if settings.dangerous_time_scale == 1:
        return []
    scale = f"{settings.dangerous_time_scale:g}"
    return [f"{_name('dangerous_time_scale')}: every wait is divided by {scale}: unset it for real traffic"]


def _name(field: str) -> str:
    return str(Settings.model_fields[field].validation_alias)


def _names() -> Mapping[str, str]:
    try:
        from_file = DotEnvSettingsSource(Settings).env_vars
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError([f"{DOTENV}: can not be read ({_cause(error)}): mend or remove it"]) from None
    return {name: value or "" for name, value in {**from_file, **EnvSettingsSource(Settings).env_vars}.items()}


def _secret_files(names: Mapping[str, str]) -> tuple[dict[str, Any], list[str]]:
    found: dict[str, Any] = {}
    faults: list[str] = []
    for name, path in ((name, names.get(name + FILE)) for name in _secret_names()):
        if path is None:
            continue
        if name in names:
            faults.append(f"{name}: set together with {name}{FILE}: keep one of the two")
            continue
        try:
            # Only the line's end is an editor's; blanks may belong to a secret.
            found[name] = Path(path).read_text(encoding="utf-8").rstrip("\r\n")
        except (OSError, UnicodeDecodeError) as error:
            faults.append(f"{name}{FILE}: {path} can not be read ({_cause(error)}): name a readable text file")
            continue
        if not found[name]:
            faults.append(f"{name}{FILE}: {path} is empty: write the secret into it")
            del found[name]
    return found, faults


def _secret_names() -> list[str]:
    return [name for name, field in fields().items() if note(field, "secret")]


def _unknown(names: Mapping[str, str]) -> Iterator[str]:
    known = [*fields(), *(name + FILE for name in _secret_names())]
    for name, value in names.items():
        ours = name.upper().startswith(PREFIX) and name not in known
        if ours and not _is_service_link(name, value):
            # Without the prefix, which would make everything look alike.
            stems = {_stem(one): one for one in known}
            close = get_close_matches(_stem(name.upper()), stems, n=1)
            advice = f"did you mean {stems[close[0]]}?" if close else "docs/settings.md lists every name"
            yield f"{name}: no such setting: {advice}"


def _stem(name: str) -> str:
    return name.removeprefix(PREFIX).removeprefix(VENDOR_PREFIX)


def _is_service_link(name: str, value: str) -> bool:
    if name.endswith("_PORT") and search(SERVICE_LINK_VALUE, value):
        return True
    return search(SERVICE_LINK, name) is not None


def _refusals(error: ValidationError) -> Iterator[str]:
    known = fields()
    for fault in error.errors(include_url=False, include_input=False):
        name = str(fault["loc"][0])
        if fault["type"] == "value_error":
            # Ours: it says what to write, and never repeats a secret.
            yield f"{name}: {fault.get('ctx', {}).get('error')}"
        else:
            says = fault["msg"][:1].lower() + fault["msg"][1:]
            yield f"{name}: {says}: write for example {note(known[name], 'example')}"


def _cause(error: OSError | UnicodeDecodeError) -> str:
    return (error.strerror or type(error).__name__) if isinstance(error, OSError) else "not UTF-8"
