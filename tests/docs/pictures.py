"""The pictures of the README, made from the tables and from a real run: `make pictures`."""

import asyncio
import re
from io import StringIO
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from rich.console import Console

from processors.core.statuses import BY_END_REASON, BY_EVENT, BY_STATE, RUNNING, TERMINAL
from processors.settings import load
from processors.settings.values import Address
from receiver import logs
from receiver.cli.demo.screen import picture, story, summary
from receiver.cli.demo.stage import Progress, perform
from schemas.state import Status

README: Final = Path("README.md")
BEGIN: Final = "<!-- statuses: drawn from processors/core/statuses.py by `make pictures` -->\n"
END: Final = "<!-- end of statuses -->\n"
SECONDS: Final = 12.0


def status_diagram() -> str:
    """The ranks and what proves them, as Mermaid, drawn from the tables."""
    proofs: dict[Status, list[str]] = {status: [] for status in Status}
    for (product, event), reading in BY_EVENT.items():
        if reading.proves:
            proofs[reading.proves].append(f"{product} {event}")
    for (product, event), words in BY_STATE.items():
        for word, reading in words.items():
            if reading.proves:
                proofs[reading.proves].append(f"{product} {event}: {word}")
    for product, reasons in BY_END_REASON.items():
        for reason, status in reasons.items():
            proofs[status].append(f"{product} ended: {reason}")
    lines = ["```mermaid", "flowchart LR"]
    lines += [f'  {status}["<b>{status}</b><br/>{_told(proofs[status])}"]' for status in Status]
    path = [status for status in Status if status not in TERMINAL]
    lines += [f"  {lower} --> {higher}" for lower, higher in pairwise(path)]
    lines += [f"  {path[-1]} --> {end}" for end in sorted(TERMINAL)]
    lines.append(f"  class {','.join(sorted(RUNNING))} running")
    lines.append(f"  class {','.join(sorted(TERMINAL))} ended")
    lines += ["  classDef running fill:#1b7f3b,color:#fff", "  classDef ended fill:#555,color:#fff", "```"]
    return "\n".join(lines) + "\n"


def _told(proofs: list[str]) -> str:
    return "<br/>".join(sorted(proofs)) if proofs else "<i>no notification proves it</i>"


def readme_with(diagram: str, readme: str) -> str:
    """The README with its diagram replaced."""
    begin, end = readme.index(BEGIN) + len(BEGIN), readme.index(END)
    return readme[:begin] + diagram + readme[end:]


async def demo_pictures(folder: Path) -> None:
    """The demo in the middle of its run, and its end, as SVG."""
    middle: list[str] = []

    def watch(progress: Progress) -> None:
        if len(progress.sent) > 2 * len(progress.planned) // 3 and not middle:
            screen = _screen()
            screen.print(picture(progress))
            middle.append(_svg(screen, "make demo"))

    # A picture shows the usual address whatever else runs on this machine.
    settings = load().model_copy(update={"listen": Address("127.0.0.1", 8080)})
    progress = await perform(settings, folder, SECONDS, asyncio.Event(), watch)
    screen = _screen()
    summary(progress, screen)
    if progress.story is not None:
        story(progress.story, screen)
    Path("docs/demo.svg").write_text(middle[0])
    Path("docs/summary.svg").write_text(_svg(screen, "make demo"))


def _screen() -> Console:
    return Console(record=True, width=112, file=StringIO(), force_terminal=True)


def _svg(screen: Console, title: str) -> str:
    # Without the fonts that rich would have the reader's browser fetch from elsewhere.
    return re.sub(r"@font-face \{.*?\}\s*", "", screen.export_svg(title=title), flags=re.DOTALL)


def main() -> None:
    """Make all of them."""
    logs.configure("error", None)
    README.write_text(readme_with(status_diagram(), README.read_text()))
    with TemporaryDirectory() as folder:
        asyncio.run(demo_pictures(Path(folder)))


if __name__ == "__main__":
    main()
