"""Secret values inside payloads, replaced before anything is stored."""

from collections.abc import Iterable
from typing import Any, Final

from schemas.codec import is_array, is_object

MASK: Final = "***"

# What the vendor's payloads carry in clear (facts A.7 to A.9, C, D); compared without case, `_` and `-`.
SECRET_FIELDS: Final = frozenset(
    {
        "rtmpurl",
        "streamurl",
        "streamkey",
        "token",
        "rtctoken",
        "inputrtctokens",
        "buildertoken",
        "tokenname",
        "userconfigdetail",
        "encryptkey",
        "encryptionkey",
        "encryptkdfsalt",
        "encryptionkdfsalt",
    }
)
# A stream address carries its key in the path wherever it stands.
SECRET_SCHEMES: Final = ("rtmp://", "rtmps://")

_secret_names: dict[str, bool] = {}
_NAMES_REMEMBERED: Final = 4096


def mask(value: Any) -> Any:
    """Replace every secret value by `***`, in place, at any depth; the value itself is returned.

    Null stays null: that nothing was sent is no secret. Iterative, so that no nesting exhausts the stack.
    """
    waiting = [value]
    while waiting:
        node = waiting.pop()
        for place, child in _children(node):
            if _is_secret(place, child):
                node[place] = MASK
            elif isinstance(child, dict | list):
                waiting.append(child)
    return value


def _children(node: Any) -> Iterable[tuple[str | int, Any]]:
    if is_object(node):
        return node.items()
    return enumerate(node) if is_array(node) else ()


def _is_secret(place: str | int, child: object) -> bool:
    if isinstance(child, str) and child[:8].lower().startswith(SECRET_SCHEMES):
        return True
    return child is not None and isinstance(place, str) and is_secret_field(place)


def is_secret_field(name: str) -> bool:
    """Whether a field of this name holds a secret; names recur, so the answer is remembered, within a bound."""
    known = _secret_names.get(name)
    if known is None:
        known = name.replace("_", "").replace("-", "").lower() in SECRET_FIELDS
        if len(_secret_names) < _NAMES_REMEMBERED:
            _secret_names[name] = known
    return known
