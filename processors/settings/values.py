"""The values settings hold, and how each is read from text.

Every reader raises ValueError with what is wrong and what to write instead, and never repeats a secret.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from pathlib import Path
from re import fullmatch
from typing import Any, Final

from pydantic import SecretStr

from schemas.codec import is_array, is_object
from schemas.seal import Seal

Network = IPv4Network | IPv6Network

LAST_PORT: Final = 65_535
UNITS: Final = {"": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12, "KIB": 2**10, "MIB": 2**20, "GIB": 2**30}


@dataclass(frozen=True, slots=True)
class SqliteFile:
    """The embedded log: one file."""

    path: Path

    def __str__(self) -> str:
        return f"sqlite:///{self.path}"


@dataclass(frozen=True, slots=True)
class Address:
    """Where to listen; port 0 lets the system choose."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


class Role(StrEnum):
    """What a token may do: look, or look and act."""

    READ = "read"
    OPERATE = "operate"


@dataclass(frozen=True, slots=True)
class ApiToken:
    """A bearer token of the control API and the pages."""

    token: SecretStr
    role: Role


def log_file(url: str) -> SqliteFile:
    """`sqlite:///relative.db` or `sqlite:////absolute.db`, as SQLAlchemy counts slashes."""
    if url.startswith("kafka://"):
        raise ValueError("Kafka arrives with a later version: use sqlite:///agora-events-data/log.db until then")
    path = url.removeprefix("sqlite:///")
    if path == url or not path or path.endswith("/"):
        raise ValueError(
            f"{url!r} is no log: write sqlite:///relative.db or, with four slashes, sqlite:////absolute.db"
        )
    if path.startswith(":memory:") or "?" in path:
        raise ValueError(f"{url!r} is not a plain file: an answered notification must outlive the process")
    return SqliteFile(Path(path))


def address(text: str) -> Address:
    """`host:port`, an IPv6 host in brackets."""
    matched = fullmatch(r"(?:\[([0-9A-Fa-f:.%]+)\]|([^\s:\[\]/]+)):(\d{1,5})", text.strip())
    if not matched or int(matched[3]) > LAST_PORT:
        raise ValueError(f"{text!r} is not host:port: write 127.0.0.1:8080, 0.0.0.0:8080 or [::1]:8080")
    if matched[1]:
        ip_address(matched[1])
    return Address(matched[1] or matched[2], int(matched[3]))


def networks(text: str) -> tuple[Network, ...]:
    """Comma-separated CIDRs; a single address is a network of one."""
    try:
        return tuple(ip_network(part) for part in _parts(text))
    except ValueError as error:
        raise ValueError(f"{error}: write CIDRs with commas between them, 10.0.0.0/8,fd00::/8") from None


def origins(text: str) -> tuple[str, ...]:
    """Comma-separated http(s) origins, in order of preference."""
    return tuple(url(part).rstrip("/") for part in _parts(text))


def url(text: str) -> str:
    """An http or https address."""
    if not fullmatch(r"https?://[^\s/]+(/\S*)?", text):
        raise ValueError("not an http(s) address: write https://host/path")
    return text


def secret_url(text: str) -> SecretStr:
    """An http or https address that is itself a credential."""
    return SecretStr(url(text))


def size(text: str) -> int:
    """A number of bytes, as a number or with a unit."""
    matched = fullmatch(r"(\d+(?:\.\d+)?)\s*([A-Za-z]*)", text.strip())
    unit = UNITS.get(matched[2].upper()) if matched else None
    if not matched or unit is None or float(matched[1]) <= 0:
        raise ValueError(f"{text!r} is no size: write a number of bytes, or 500MB, 10GiB")
    return int(float(matched[1]) * unit)


def secrets(text: str) -> Mapping[str, tuple[SecretStr, ...]]:
    """`{"source":"secret"}` or `{"source":["new","old"]}`."""
    found = _object(text, 'one secret or a list for each source, {"transcoder":["new","old"],"push":"s"}')
    faults = [
        fault for place, pair in enumerate(found.items(), start=1) for fault in _secret_faults(f"source {place}", *pair)
    ]
    if faults:
        raise ValueError("; ".join(faults))
    return {
        source: tuple(SecretStr(secret) for secret in (given if is_array(given) else [given]))
        for source, given in found.items()
    }


def _secret_faults(place: str, source: str, given: object) -> Iterable[str]:
    # By place, not by name: who mixed the two up put the secret where the name belongs.
    if not fullmatch(r"[a-z0-9_-]+", source):
        yield f"{place}: a name may hold a-z, 0-9, _ and - only, it is part of an address"
    live = given if is_array(given) else [given]
    if not live or not all(isinstance(secret, str) and secret for secret in live):
        yield f"{place} needs a text that is not empty, or a list of such"


def tokens(text: str) -> Mapping[str, ApiToken]:
    """`{"name":"token"}` (may operate) or `{"name":{"token":"…","role":"read"}}`."""
    found = _object(text, 'a token for each name, {"ops":"…","wallboard":{"token":"…","role":"read"}}')
    read = {name: _token(name, given) for name, given in found.items()}
    holders: dict[str, str] = {}
    for name, token in read.items():
        other = holders.setdefault(token.token.get_secret_value(), name)
        if other != name:
            raise ValueError(
                f"{other!r} and {name!r} have the same token: give each its own, the audit tells them apart"
            )
    return read


def _token(name: str, given: object) -> ApiToken:
    fields: dict[str, Any] = given if is_object(given) else {"token": given}
    token = fields.get("token")
    role = fields.get("role", Role.OPERATE)
    if not isinstance(token, str) or not fullmatch(r"[\x21-\x7e]+", token):
        raise ValueError(f"{name!r} needs a token: printable ASCII without spaces, as a header carries it")
    if role not in tuple(Role) or fields.keys() - {"token", "role"}:
        raise ValueError(f'{name!r} may hold "token" and "role", and role is read or operate')
    return ApiToken(SecretStr(token), Role(role))


def seal_keys(text: str) -> tuple[SecretStr, ...]:
    """A JSON list of Fernet keys: the first seals, all open."""
    wanted = 'a JSON list of Fernet keys (URL-safe base64 of 32 bytes), ["newest","older"]'
    keys = _json(text, wanted)
    if not is_array(keys) or not keys or not all(isinstance(key, str) for key in keys):
        raise ValueError(f"not {wanted}")
    for place, key in enumerate(keys, start=1):
        try:
            Seal([key])
        except ValueError:
            raise ValueError(f"key {place} of {len(keys)} is not URL-safe base64 of 32 bytes") from None
    return tuple(SecretStr(key) for key in keys)


def webhook_secret(text: str) -> SecretStr:
    """A Standard Webhooks secret."""
    if not fullmatch(r"whsec_[A-Za-z0-9+/=_-]{8,}", text):
        raise ValueError("not a webhook secret: write whsec_ and then base64")
    return SecretStr(text)


def lowered(text: object) -> object:
    """Words of a closed set are taken in any case."""
    return text.lower() if isinstance(text, str) else text


def raised(text: object) -> object:
    """Words of a closed set are taken in any case."""
    return text.upper() if isinstance(text, str) else text


def _parts(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def _object(text: str, wanted: str) -> dict[str, Any]:
    found = _json(text, wanted)
    if not is_object(found) or not found:
        raise ValueError(f"not a JSON object with {wanted}")
    return found


def _json(text: str, wanted: str) -> Any:
    # The standard parser, because only it can refuse a name given twice: one of two secrets would be dropped silently.
    try:
        return json.loads(text, object_pairs_hook=_once)
    except (json.JSONDecodeError, RecursionError):
        # From None: the parser's error carries the whole text.
        raise ValueError(f"not JSON: expected {wanted}") from None


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise ValueError(f"{name!r} is given twice: put both values into one list, or drop one")
        found[name] = value
    return found
