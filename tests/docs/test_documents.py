"""What the documents say is what the program does: pictures are drawn from the tables, code blocks run."""

import asyncio
import os
import re
import socket
import sys
from pathlib import Path

from processors.core.statuses import TERMINAL
from schemas.products import Product
from tests.docs.pictures import README, readme_with, status_diagram

ROOT = Path(__file__).parents[2]
QUICK_START = re.compile(r"## Quick start\n(.*?)\n## ", re.DOTALL)
BLOCK = re.compile(r"```bash\n(.*?)```", re.DOTALL)
LINK = re.compile(r"\]\((?!https?:)([^)#]+)")


def test_the_status_diagram_is_drawn_from_the_table() -> None:
    readme = (ROOT / README).read_text()
    assert readme == readme_with(status_diagram(), readme), "run `make pictures`"
    assert all(status in status_diagram() for status in TERMINAL)
    assert all(f"{product} ended" in status_diagram() for product in Product)


def test_every_link_of_a_document_leads_somewhere() -> None:
    for document in [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").glob("*.md")]:
        for target in LINK.findall(document.read_text()):
            assert (document.parent / target).exists(), f"{document.name}: {target}"


def test_the_readme_is_short_enough_to_be_read() -> None:
    assert len((ROOT / README).read_text().splitlines()) <= 200


async def test_the_quick_start_works_line_by_line(tmp_path: Path) -> None:
    section = QUICK_START.search((ROOT / README).read_text())
    assert section
    script = "set -e\n" + "\n".join(BLOCK.findall(section[1]))
    # The environment is this test's own; the port is whichever is free.
    script = script.replace("make install && . .venv/bin/activate\n", "")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    script = script.replace("8080", port)
    bin_folder = Path(sys.executable).parent
    environment = {
        "PATH": f"{bin_folder}:{os.environ['PATH']}",
        "HOME": str(tmp_path),
        "AGORA_EVENTS_LISTEN": f"127.0.0.1:{port}",
    }
    process = await asyncio.create_subprocess_exec(
        *("bash", "-c", script),
        cwd=tmp_path,
        env=environment,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    async with asyncio.timeout(60):
        output, _ = await process.communicate()
    printed = output.decode()
    assert process.returncode == 0, printed
    assert '"status":"EXIT"' in printed
    assert printed.count('"number":') >= 2
    assert "Stop request" in printed
