"""What a user is told of an error that is no bug."""

from processors.settings import SettingsError
from receiver.server import CannotListen
from schemas.errors import Fenced, Incompatible, LeaseTaken, Rejected, Unavailable
from schemas.seal import CannotOpenError
from schemas.state import NewerStateError


def explained(error: Exception) -> list[str] | None:
    """The lines for stderr, None for a bug, which deserves its traceback."""
    match error:
        case SettingsError():
            return error.lines
        case CannotListen() | NewerStateError():
            return [str(error)]
        case Unavailable() | Incompatible() | LeaseTaken() | Fenced() | Rejected() | CannotOpenError():
            return [str(error) or type(error).__name__]
        case OSError():
            place = f"{error.filename}: " if error.filename else ""
            return [f"{place}{error.strerror or error}"]
        case _:
            return None
