"""Finding the one input that breaks a turn, and setting it aside while its neighbours move on."""

from collections.abc import Callable

from schemas.codec import decode, is_object
from schemas.deadletters import dead_letter
from schemas.record import Record, Stored

REASON = "broke-the-core"


class Poison:
    """How many inputs a turn takes: halved by every fault until the culprit is alone, then grown again."""

    def __init__(self, largest: int, attempts: int) -> None:
        self.batch = largest
        self._largest = largest
        self._attempts = attempts
        self._failed: dict[str, int] = {}

    def isolate(self, first: str, size: int) -> bool:
        """Note that a batch failed; True when its one input has failed often enough to be set aside."""
        if size > 1:
            self.batch = size // 2
            return False
        failed = self._failed.get(first, 0) + 1
        self._failed = {first: failed}
        return failed >= self._attempts

    def clear(self) -> None:
        """Note that a batch went through."""
        self.batch = min(self._largest, self.batch * 2)


class SetAside:
    """Makes the dead letters of the engine; what broke is sealed, the fault is named by its type alone."""

    def __init__(self, seal: Callable[[bytes], str]) -> None:
        self._seal = seal

    def record(self, stored: Stored, fault: Exception, now_ms: int) -> Record:
        """The dead letter of an input record."""
        record = stored.record
        return self._letter(record.key, record.product, record.value or b"", fault, now_ms)

    def timer(self, key: str, fault: Exception, now_ms: int) -> Record:
        """The dead letter of a machine whose timer broke the core; the timer stays off until the machine changes."""
        return self._letter(key, key.partition("/")[0], b"", fault, now_ms)

    def _letter(self, key: str, product: str, original: bytes, fault: Exception, now_ms: int) -> Record:
        return dead_letter(
            key=key,
            product=product,
            reason=REASON,
            # The message of an exception may quote the values that caused it.
            detail=f"{type(fault).__name__} while folding {key}",
            where="processor",
            received_ms=now_ms,
            source=_source(original),
            original=original,
            sealed=self._seal(original),
            headers={},
        )


def _source(original: bytes) -> str:
    try:
        notification = decode(original)
    except ValueError:
        return ""
    source = notification.get("source") if is_object(notification) else None
    return source if isinstance(source, str) else ""
