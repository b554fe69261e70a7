"""Seal keys beside the embedded log."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from processors.adapters.keyfile import key_file, read_or_create
from schemas.errors import Incompatible, Unavailable
from schemas.seal import Seal


def test_the_file_stands_beside_the_log() -> None:
    assert key_file(Path("data/log.db")) == Path("data/log.db.seal-keys")


def test_keys_are_made_once_and_read_ever_after(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "log.db.seal-keys"
    keys = read_or_create(path)
    assert Seal(keys).open(Seal(read_or_create(path)).seal(b"x")) == b"x"
    assert read_or_create(path) == keys


def test_only_the_owner_may_read_them(tmp_path: Path) -> None:
    path = tmp_path / "keys"
    read_or_create(path)
    assert path.stat().st_mode & 0o777 == 0o600


def test_processes_that_start_together_share_one_key(tmp_path: Path) -> None:
    path = tmp_path / "keys"
    with ThreadPoolExecutor(16) as pool:
        keys = list(pool.map(read_or_create, [path] * 64))
    assert all(one == keys[0] for one in keys)
    assert [entry.name for entry in tmp_path.iterdir()] == ["keys"]


@pytest.mark.parametrize("content", [b"", b"no json CANARY", b"{}", b"[]", b'["CANARY"]', b"[7]"])
def test_a_file_that_holds_no_keys_is_refused_and_left_alone(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "keys"
    path.write_bytes(content)
    with pytest.raises(Incompatible) as caught:
        read_or_create(path)
    assert "CANARY" not in str(caught.value)
    assert path.read_bytes() == content


def test_a_folder_that_can_not_be_made_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(Unavailable):
        read_or_create(tmp_path / "file" / "keys")
