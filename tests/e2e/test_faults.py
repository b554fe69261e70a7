"""A disk that is full and a file that cannot be written: 503 and never 200, and well again without a restart."""

import resource
import sys
from pathlib import Path
from typing import Final

from processors.adapters.http import Client
from schemas.topics import NOTIFICATIONS
from tests.e2e.process import environment, everything, notify, started
from tests.vendor import life
from tests.waiting import eventually

# Tests may run as root, whom no file mode stops: the child gives up the capabilities that let it past them.
UNPRIVILEGED: Final = (
    sys.executable,
    "-c",
    """
import ctypes, os, sys
for capability in (1, 2):  # CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH
    ctypes.CDLL(None).prctl(24, capability, 0, 0, 0)  # PR_CAPBSET_DROP
os.execv(sys.argv[1], sys.argv[1:])
""",
)


async def test_a_full_disk_answers_503_and_heals_without_a_restart(tmp_path: Path) -> None:
    answered = 0
    async with started("all", environment(tmp_path)) as child, Client(child.url) as client:
        assert await notify(client, next(life("before"))) == 200
        largest = max(path.stat().st_size for path in tmp_path.iterdir())
        resource.prlimit(child.process.pid, resource.RLIMIT_FSIZE, (largest, resource.RLIM_INFINITY))
        statuses = [await notify(client, body) for number in range(40) for body in life(f"full{number}")]
        assert 503 in statuses
        assert set(statuses) <= {200, 503}
        answered = statuses.count(200) + 1
        assert (await client.get("/readyz")).status == 503
        assert (await client.get("/livez")).status == 200
        resource.prlimit(child.process.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))

        async def well_again() -> bool:
            return await notify(client, next(life("after"))) == 200

        await eventually(well_again)
        answered += 1

        async def ready() -> bool:
            return (await client.get("/readyz")).status == 200

        await eventually(ready)
    assert len(await everything(tmp_path / "log.db", NOTIFICATIONS)) >= answered


async def test_a_read_only_file_answers_503_and_heals_without_a_restart(tmp_path: Path) -> None:
    log = tmp_path / "log.db"
    async with started("all", environment(tmp_path)) as child, Client(child.url) as client:
        assert await notify(client, next(life("before"))) == 200
    log.chmod(0o444)
    async with started("receive", environment(tmp_path), UNPRIVILEGED) as child, Client(child.url) as client:
        assert [await notify(client, body) for body in life("refused")] == [503] * 5
        assert (await client.get("/readyz")).status == 503
        log.chmod(0o644)

        async def well_again() -> bool:
            return await notify(client, next(life("after"))) == 200

        await eventually(well_again)
    # The kernel's proof that the mode, not luck, refused: what was refused is not there.
    stored = [item.record.key for item in await everything(log, NOTIFICATIONS)]
    assert stored.count("transcoder/before") == 1
    assert "transcoder/refused" not in stored
