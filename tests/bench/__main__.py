"""Every bench, one row each: `make bench`."""

import sys
import tempfile
from pathlib import Path

from rich.console import Console
from rich.table import Table

from receiver import logs
from tests.bench import accepts, folding, restart

BENCHES = {"accepts": accepts.rows, "folding": folding.rows, "restart": restart.rows}


def main() -> None:
    """Run those named, or all."""
    # As a server logs: unconfigured, structlog prints every line there is.
    logs.configure("info", None)
    table = Table("what", "measured", "against", "ratio", "hold")
    # On the disk of the project, not on a /tmp that may be memory: an fsync has to cost what it costs.
    with tempfile.TemporaryDirectory(dir=".", prefix=".bench-") as folder:
        for name in sys.argv[1:] or BENCHES:
            for row in BENCHES[name](Path(folder).absolute()):
                table.add_row(*row)
    Console(width=140).print(table)


main()
