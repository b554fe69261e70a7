"""Secret values inside payloads, replaced before anything is stored."""

import re
from typing import Any, Final

from schemas.codec import DecodeError, decode, encode, is_array, is_object

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
# A stream address carries its key in the path wherever it stands, in the middle of a sentence too.
STREAM_ADDRESS: Final = re.compile(r"(rtmp[a-z]*|srt)://", re.IGNORECASE)

# Names recur in every payload: the ones known to be no secret are looked up, not spelled out again.
_open_names: set[str] = set()
JSON_BEGINS: Final = ("{", "[")
CONTAINERS: Final = (dict, list)  # a tuple: `dict | list` would be built anew at every question
_NAMES_REMEMBERED: Final = 4096
_NAME_LENGTH: Final = 64


def mask(value: Any) -> Any:
    """Replace every secret value by `***`, in place, at any depth; the value itself is returned.

    Null stays null: that nothing was sent is no secret. Iterative, so that no nesting exhausts the stack.
    """
    waiting = [value]
    while waiting:
        node = waiting.pop()
        if is_object(node):
            _mask_object(node, waiting)
        elif is_array(node):
            _mask_array(node, waiting)
    return value


def _mask_object(node: dict[str, Any], waiting: list[Any]) -> None:
    for name, child in node.items():
        if name not in _open_names and child is not None and is_secret_field(name):
            node[name] = MASK
        elif isinstance(child, str):
            # The cheap questions first: this is the hot path.
            if "://" in child and STREAM_ADDRESS.search(child):
                node[name] = MASK
            elif child.startswith(JSON_BEGINS):
                node[name] = _masked_text(child)
        elif isinstance(child, CONTAINERS):
            waiting.append(child)


def _mask_array(node: list[Any], waiting: list[Any]) -> None:
    for place, child in enumerate(node):
        if isinstance(child, str):
            node[place] = MASK if STREAM_ADDRESS.search(child) else _masked_text(child)
        elif isinstance(child, CONTAINERS):
            waiting.append(child)


def _masked_text(text: str) -> str:
    """A text, masked inside where it is JSON itself, as the vendor's own `userConfigDetail` is."""
    if not text.startswith(JSON_BEGINS):
        return text
    try:
        content = decode(text)
        plain = encode(content)
    except DecodeError:
        return text
    except TypeError:  # nested too deeply to be looked into
        return MASK
    masked = encode(mask(content))
    return text if masked == plain else masked.decode()


def is_secret_field(name: str) -> bool:
    """Whether a field of this name holds a secret; names that do not are remembered, within a bound."""
    if name.replace("_", "").replace("-", "").lower() in SECRET_FIELDS:
        return True
    if len(_open_names) < _NAMES_REMEMBERED and len(name) <= _NAME_LENGTH:
        _open_names.add(name)
    return False
