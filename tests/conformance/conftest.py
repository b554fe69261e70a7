from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.conformance.worlds import WORLDS, World


@pytest.fixture(params=WORLDS)
async def world(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[World]:
    """Every adapter in turn."""
    async with WORLDS[request.param](tmp_path) as world:
        yield world
