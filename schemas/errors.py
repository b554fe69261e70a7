"""What can go wrong at a port, each once; foreign errors are translated to these at the seam."""


class Unavailable(Exception):  # noqa: N818 - a state of the world, not a bug
    """It could not be done or proved now; it may have happened all the same. Trying again is right."""


class Rejected(Exception):  # noqa: N818
    """It will never be accepted in this form (too large, say). Trying the same again is useless."""


class Fenced(Exception):  # noqa: N818
    """Someone else works this partition now: drop everything uncommitted and stop."""


class LeaseTaken(Exception):  # noqa: N818
    """Another process holds what only one may hold."""


class Incompatible(Exception):  # noqa: N818
    """What is stored was written by a newer version, or is not ours; nothing was changed."""
