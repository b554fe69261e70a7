"""The settings table: what is accepted, what stops the start, and that no secret is ever shown."""

from pathlib import Path

import pytest

from processors.settings import Address, Role, Settings, SettingsError, SqliteFile, fields, load, note
from schemas.seal import new_key
from tests.cli.shell import Shell

CANARY = "CANARY-9f2b7c-never-shown"
KEY = new_key()


@pytest.fixture
def setting(bare: Shell, monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    assert bare.env == {}
    return monkeypatch


def refused(*, receives: bool = False) -> list[str]:
    with pytest.raises(SettingsError) as caught:
        load(receives=receives)
    return caught.value.lines


def test_nothing_set_is_a_complete_configuration(setting: pytest.MonkeyPatch) -> None:
    settings = load()
    assert settings.log == SqliteFile(Path("agora-events-data/log.db"))
    assert settings.listen == Address("127.0.0.1", 8080)
    assert settings.receive_only
    assert settings.accept_v1


@pytest.mark.parametrize(
    ("name", "text", "field", "value"),
    [
        ("LOG", "sqlite:///data/x.db", "log", SqliteFile(Path("data/x.db"))),
        ("LOG", "sqlite:////var/x.db", "log", SqliteFile(Path("/var/x.db"))),
        ("LISTEN", "[::1]:8080", "listen", Address("::1", 8080)),
        ("LISTEN", "0.0.0.0:0", "listen", Address("0.0.0.0", 0)),  # noqa: S104 - read, not bound
        ("CONTROL_LISTEN", "localhost:9", "control_listen", Address("localhost", 9)),
        ("ACCEPT_V1", "false", "accept_v1", False),
        ("RETENTION_DAYS", "0.5", "retention_days", 0.5),
        ("RETENTION_BYTES", "1.5GiB", "retention_bytes", 3 * 2**29),
        ("RETENTION_BYTES", "500", "retention_bytes", 500),
        ("LOG_LEVEL", "WARNING", "log_level", "warning"),
        ("LOG_FORMAT", "json", "log_format", "json"),
        ("KAFKA_SECURITY_PROTOCOL", "ssl", "kafka_security_protocol", "SSL"),
        ("KAFKA_PARTITIONS", "24", "kafka_partitions", 24),
        ("DANGEROUS_TIME_SCALE", "20", "dangerous_time_scale", 20.0),
        ("CONTROL_LISTEN", "", "control_listen", None),
    ],
)
def test_a_setting_is_read_from_its_name(
    setting: pytest.MonkeyPatch, name: str, text: str, field: str, value: object
) -> None:
    setting.setenv(f"AGORA_EVENTS_{name}", text)
    assert getattr(load(), field) == value


def test_networks_and_origins_are_separated_by_commas(setting: pytest.MonkeyPatch) -> None:
    setting.setenv("AGORA_EVENTS_TRUSTED_PROXIES", "10.0.0.0/8, ::1")
    setting.setenv("AGORA_API_BASE_URLS", "https://a.example/,https://b.example")
    settings = load()
    assert [str(network) for network in settings.trusted_proxies] == ["10.0.0.0/8", "::1/128"]
    assert settings.api_base_urls == ("https://a.example", "https://b.example")


def test_a_source_has_one_secret_or_several(setting: pytest.MonkeyPatch) -> None:
    setting.setenv("AGORA_EVENTS_NOTIFICATION_SECRETS", '{"transcoder":["new","old"],"push":"s"}')
    assert load(receives=True).signing_secrets == {"transcoder": (b"new", b"old"), "push": (b"s",)}


def test_a_token_operates_unless_it_says_otherwise(setting: pytest.MonkeyPatch) -> None:
    setting.setenv("AGORA_EVENTS_API_TOKENS", '{"ops":"a","wall":{"token":"b","role":"read"},"c":{"token":"d"}}')
    roles = {name: token.role for name, token in load().api_tokens.items()}
    assert roles == {"ops": Role.OPERATE, "wall": Role.READ, "c": Role.OPERATE}


def test_the_environment_wins_over_the_dotenv_file(bare: Shell, setting: pytest.MonkeyPatch) -> None:
    bare.write(".env", "AGORA_EVENTS_LISTEN=127.0.0.1:1\nAGORA_EVENTS_LOG_LEVEL=debug\nOTHER=x\n")
    setting.setenv("AGORA_EVENTS_LISTEN", "127.0.0.1:2")
    settings = load()
    assert (settings.listen.port, settings.log_level) == (2, "debug")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("LOG", "sqlite://x.db"),
        ("LOG", "sqlite:///"),
        ("LOG", "sqlite:///:memory:"),
        ("LOG", "sqlite:///x.db?mode=ro"),
        ("LOG", "postgres://x"),
        ("LOG", "kafka://broker:9092"),
        ("LISTEN", "8080"),
        ("LISTEN", ":8080"),
        ("LISTEN", "::1:8080"),
        ("LISTEN", "[::zz]:8080"),
        ("LISTEN", "host:70000"),
        ("TRUSTED_PROXIES", "10.0.0.1/8"),
        ("TRUSTED_PROXIES", "everywhere"),
        ("ACCEPT_V1", "perhaps"),
        ("RETENTION_DAYS", "0"),
        ("RETENTION_DAYS", "nan"),
        ("RETENTION_BYTES", "0"),
        ("RETENTION_BYTES", "12 parsecs"),
        ("LOST_AFTER_DAYS", "-1"),
        ("LOG_LEVEL", "loud"),
        ("LOG_FORMAT", "xml"),
        ("KAFKA_PARTITIONS", "0"),
        ("KAFKA_SECURITY_PROTOCOL", "TELNET"),
        ("ALERT_ALERTMANAGER_URL", "alertmanager:9093"),
        ("DANGEROUS_TIME_SCALE", "inf"),
        ("DANGEROUS_TIME_SCALE", "0"),
    ],
)
def test_a_value_that_can_not_be_meant_stops_the_start_in_one_line(
    setting: pytest.MonkeyPatch, name: str, text: str
) -> None:
    setting.setenv(f"AGORA_EVENTS_{name}", text)
    (line,) = refused()
    assert line.startswith(f"AGORA_EVENTS_{name}: ")
    assert "\n" not in line


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("AGORA_EVENTS_NOTIFICATION_SECRETS", CANARY),
        ("AGORA_EVENTS_NOTIFICATION_SECRETS", f'["{CANARY}"]'),
        ("AGORA_EVENTS_NOTIFICATION_SECRETS", "{}"),
        ("AGORA_EVENTS_NOTIFICATION_SECRETS", '{"a":""}'),
        ("AGORA_EVENTS_NOTIFICATION_SECRETS", '{"a":[]}'),
        ("AGORA_EVENTS_NOTIFICATION_SECRETS", f'{{"a":["{CANARY}",""]}}'),
        ("AGORA_EVENTS_NOTIFICATION_SECRETS", f'{{"a":["{CANARY}",7]}}'),
        ("AGORA_EVENTS_NOTIFICATION_SECRETS", f'{{"{CANARY}":"a"}}'),
        ("AGORA_EVENTS_NOTIFICATION_SECRETS", f'{{"a":"{CANARY}","a":"b"}}'),
        ("AGORA_EVENTS_NOTIFICATION_SECRETS", f'{{"a":"{CANARY}"'),
        ("AGORA_EVENTS_NOTIFICATION_SECRETS", "[" * 100_000),
        ("AGORA_EVENTS_API_TOKENS", CANARY),
        ("AGORA_EVENTS_API_TOKENS", f'{{"a":"{CANARY}","b":"{CANARY}"}}'),
        ("AGORA_EVENTS_API_TOKENS", f'{{"a":{{"token":"{CANARY}","role":"rule"}}}}'),
        ("AGORA_EVENTS_API_TOKENS", f'{{"a":{{"token":"{CANARY}","rule":"read"}}}}'),
        ("AGORA_EVENTS_API_TOKENS", f'{{"a":"{CANARY} with spaces"}}'),
        ("AGORA_EVENTS_API_TOKENS", f'{{"a":["{CANARY}"]}}'),
        ("AGORA_EVENTS_SEAL_KEYS", CANARY),
        ("AGORA_EVENTS_SEAL_KEYS", "[]"),
        ("AGORA_EVENTS_SEAL_KEYS", f'["{KEY}","{CANARY}"]'),
        ("AGORA_EVENTS_ALERT_SLACK_WEBHOOK_URL", CANARY),
        ("AGORA_EVENTS_ALERT_WEBHOOK_URL", CANARY),
    ],
)
def test_a_refused_secret_is_not_shown(setting: pytest.MonkeyPatch, name: str, text: str) -> None:
    setting.setenv(name, text)
    (line,) = refused()
    assert line.startswith(f"{name}: ")
    assert CANARY not in line
    assert len(line) < 300


@pytest.mark.parametrize("text", [CANARY, "whsec_!"])
def test_a_webhook_secret_has_its_form(setting: pytest.MonkeyPatch, text: str) -> None:
    setting.setenv("AGORA_EVENTS_ALERT_WEBHOOK_URL", "https://example.com/hook")
    setting.setenv("AGORA_EVENTS_ALERT_WEBHOOK_SECRET", text)
    (line,) = refused()
    assert CANARY not in line


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("AGORA_EVENTS_LISTN", "AGORA_EVENTS_LISTEN"),
        ("AGORA_EVENTS_API_TOKEN_FILE", "AGORA_EVENTS_API_TOKENS_FILE"),
        ("AGORA_EVENTS_APP_ID", "AGORA_APP_ID"),
        ("agora_events_log", "AGORA_EVENTS_LOG"),
        ("AGORA_EVENTS_XYZZY", "docs/settings.md"),
    ],
)
@pytest.mark.parametrize("place", ["environment", ".env"])
def test_an_unknown_name_stops_the_start_and_the_nearest_is_named(
    bare: Shell, setting: pytest.MonkeyPatch, name: str, near: str, place: str
) -> None:
    if place == ".env":
        bare.write(".env", f"{name}={CANARY}\n")
    else:
        setting.setenv(name, CANARY)
    (line,) = refused()
    assert line.startswith(f"{name}: ")
    assert near in line
    assert CANARY not in line


def test_names_of_others_are_not_our_business(setting: pytest.MonkeyPatch) -> None:
    setting.setenv("AGORA_SOMETHING_ELSE", "x")
    assert load().receive_only


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("AGORA_EVENTS_PORT", "tcp://10.0.0.1:8080"),
        ("AGORA_EVENTS_PORT_8080_TCP", "tcp://10.0.0.1:8080"),
        ("AGORA_EVENTS_PORT_8080_TCP_ADDR", "10.0.0.1"),
        ("AGORA_EVENTS_SERVICE_HOST", "10.0.0.1"),
        ("AGORA_EVENTS_SERVICE_PORT", "8080"),
        ("AGORA_EVENTS_CONTROL_SERVICE_PORT_HTTP", "8081"),
    ],
)
def test_what_kubernetes_puts_there_for_a_service_of_our_name_is_not_ours(
    setting: pytest.MonkeyPatch, name: str, value: str
) -> None:
    setting.setenv(name, value)
    assert load().receive_only


def test_a_port_that_is_no_link_of_a_service_is_a_mistake(setting: pytest.MonkeyPatch) -> None:
    setting.setenv("AGORA_EVENTS_PORT", "8080")
    assert "AGORA_EVENTS_PORT: " in refused()[0]


@pytest.mark.parametrize(
    ("given", "missing"),
    [
        ({"AGORA_APP_ID": "x"}, ["AGORA_CUSTOMER_ID"]),
        ({"AGORA_CUSTOMER_ID": "x"}, ["AGORA_APP_ID", "AGORA_CUSTOMER_SECRET"]),
        ({"AGORA_CUSTOMER_SECRET": CANARY}, ["AGORA_CUSTOMER_ID"]),
        ({"AGORA_APP_CERTIFICATE": CANARY}, ["AGORA_APP_ID"]),
        ({"AGORA_EVENTS_KAFKA_USERNAME": "x"}, ["AGORA_EVENTS_KAFKA_PASSWORD"]),
        ({"AGORA_EVENTS_KAFKA_PASSWORD": CANARY}, ["AGORA_EVENTS_KAFKA_USERNAME"]),
        ({"AGORA_EVENTS_KAFKA_SSL_KEYFILE": "x"}, ["AGORA_EVENTS_KAFKA_SSL_CERTFILE"]),
        ({"AGORA_EVENTS_KAFKA_SASL_MECHANISM": "PLAIN"}, ["AGORA_EVENTS_KAFKA_SECURITY_PROTOCOL"]),
        ({"AGORA_EVENTS_ALERT_WEBHOOK_URL": "https://x/"}, ["AGORA_EVENTS_ALERT_WEBHOOK_SECRET"]),
        ({"AGORA_EVENTS_ALERT_WEBHOOK_SECRET": "whsec_abcdefgh"}, ["AGORA_EVENTS_ALERT_WEBHOOK_URL"]),
        ({"AGORA_EVENTS_ALERT_PAGERDUTY_URL": "https://x"}, ["AGORA_EVENTS_ALERT_PAGERDUTY_ROUTING_KEY"]),
    ],
)
def test_half_a_pair_stops_the_start(setting: pytest.MonkeyPatch, given: dict[str, str], missing: list[str]) -> None:
    for name, value in given.items():
        setting.setenv(name, value)
    lines = refused()
    assert [line.split(": ")[0] for line in lines] == missing
    assert CANARY not in "".join(lines)


def test_everything_that_is_wrong_is_said_at_once(setting: pytest.MonkeyPatch) -> None:
    setting.setenv("AGORA_EVENTS_LISTN", "x")
    setting.setenv("AGORA_EVENTS_LISTEN", "x")
    setting.setenv("AGORA_EVENTS_LOG", "x")
    setting.setenv("AGORA_EVENTS_SEAL_KEYS_FILE", "absent")
    names = {line.split(": ")[0] for line in refused(receives=True)}
    assert names == {"AGORA_EVENTS_LISTN", "AGORA_EVENTS_LISTEN", "AGORA_EVENTS_LOG", "AGORA_EVENTS_SEAL_KEYS_FILE"}


def test_who_receives_needs_secrets_and_who_processes_does_not(setting: pytest.MonkeyPatch) -> None:
    assert load().notification_secrets == {}
    (line,) = refused(receives=True)
    assert line.startswith("AGORA_EVENTS_NOTIFICATION_SECRETS: ")


def secret_names() -> list[str]:
    return [name for name, field in fields().items() if note(field, "secret")]


SECRET_VALUES = {
    "AGORA_EVENTS_NOTIFICATION_SECRETS": f'{{"transcoder":["{CANARY}"]}}',
    "AGORA_EVENTS_API_TOKENS": f'{{"ops":"{CANARY}"}}',
    "AGORA_EVENTS_SEAL_KEYS": f'["{KEY}"]',
    "AGORA_EVENTS_ALERT_SLACK_WEBHOOK_URL": f"https://example.com/{CANARY}",
    "AGORA_EVENTS_ALERT_WEBHOOK_URL": f"https://example.com/{CANARY}",
    "AGORA_EVENTS_ALERT_WEBHOOK_SECRET": "whsec_CANARYCANARY",
}
COMPANIONS = {
    "AGORA_EVENTS_KAFKA_USERNAME": "kafka",
    "AGORA_APP_ID": "app",
    "AGORA_CUSTOMER_ID": "customer",
}


@pytest.fixture
def all_secrets_in_files(bare: Shell, setting: pytest.MonkeyPatch) -> Settings:
    for name in secret_names():
        setting.setenv(f"{name}_FILE", bare.write(name, SECRET_VALUES.get(name, CANARY) + "\n"))
    for name, value in COMPANIONS.items():
        setting.setenv(name, value)
    return load(receives=True)


def test_every_secret_may_stand_in_a_file(all_secrets_in_files: Settings) -> None:
    settings = all_secrets_in_files
    assert settings.signing_secrets == {"transcoder": (CANARY.encode(),)}
    assert settings.customer_secret is not None
    assert settings.customer_secret.get_secret_value() == CANARY
    assert len(settings.model_fields_set) == len(secret_names()) + len(COMPANIONS)


def test_no_secret_stands_in_the_repr(all_secrets_in_files: Settings) -> None:
    shown = f"{all_secrets_in_files!r} {all_secrets_in_files} {all_secrets_in_files.model_dump()}"
    assert "CANARY" not in shown
    assert KEY not in shown


def test_a_secret_and_its_file_contradict(bare: Shell, setting: pytest.MonkeyPatch) -> None:
    setting.setenv("AGORA_APP_ID", "x")
    setting.setenv("AGORA_CUSTOMER_ID", "x")
    setting.setenv("AGORA_CUSTOMER_SECRET", CANARY)
    setting.setenv("AGORA_CUSTOMER_SECRET_FILE", bare.write("secret", "other"))
    assert refused() == ["AGORA_CUSTOMER_SECRET: set together with AGORA_CUSTOMER_SECRET_FILE: keep one of the two"]


@pytest.mark.parametrize("content", [None, b"", b"\n", b"\xff\xfe"])
def test_a_secret_file_that_can_not_be_used_stops_the_start(
    bare: Shell, setting: pytest.MonkeyPatch, content: bytes | None
) -> None:
    if content is not None:
        bare.write("secret", content)
    setting.setenv("AGORA_EVENTS_API_TOKENS_FILE", "secret")
    (line,) = refused()
    assert line.startswith("AGORA_EVENTS_API_TOKENS_FILE: secret ")


def test_a_dotenv_file_that_is_no_text_is_one_line(bare: Shell, setting: pytest.MonkeyPatch) -> None:
    bare.write(".env", b"AGORA_EVENTS_LOG=\xff\n")
    assert refused() == [".env: can not be read (not UTF-8): mend or remove it"]
