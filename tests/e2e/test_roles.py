"""The roles as processes: apart, together, refused, stopped."""

import asyncio
import json
import signal
import sqlite3
from pathlib import Path

import psutil
import pytest

from processors.adapters.http import Client
from processors.adapters.sqlite.schema import APPLICATION_ID
from schemas.codec import decode
from schemas.topics import NOTIFICATIONS
from tests.e2e.process import SECRET, TOKEN, environment, everything, notify, run, started
from tests.vendor import life, transcoder
from tests.waiting import eventually

BEARER = {"Authorization": f"Bearer {TOKEN}"}


async def status_of(client: Client, key: str) -> str | None:
    answer = await client.get(f"/tasks/{key}", BEARER)
    return decode(answer.body)["status"] if answer.status == 200 else None


async def test_receive_and_process_share_one_file_from_two_processes(tmp_path: Path) -> None:
    variables = environment(tmp_path)
    async with (
        started("process", variables) as process,
        started("receive", variables) as receive,
        Client(receive.url) as client,
        Client(process.url) as health,
    ):
        for body in life("a"):
            assert await notify(client, body) == 200

        async def ended() -> bool:
            return await status_of(client, "transcoder/a") == "EXIT"

        await eventually(ended)
        assert (await health.get("/readyz")).status == 200
        assert (await health.get("/tasks", BEARER)).status == 404
        assert (await health.post("/notifications", b"{}", {})).status == 404


@pytest.mark.parametrize("second", ["process", "all"])
async def test_a_second_worker_of_the_same_file_refuses_to_start(tmp_path: Path, second: str) -> None:
    async with started("process", environment(tmp_path)) as first:
        elsewhere = environment(tmp_path, AGORA_EVENTS_DATA=str(tmp_path / "other"))
        code, _, complaint = await run(second, variables=elsewhere)
        assert code == 1
        assert f"process {first.process.pid} works" in complaint
        assert "Traceback" not in complaint


async def test_two_receivers_never_share_a_data_folder(tmp_path: Path) -> None:
    async with started("receive", environment(tmp_path)):
        code, _, complaint = await run("receive", variables=environment(tmp_path))
        assert code == 1
        assert "AGORA_EVENTS_DATA" in complaint


@pytest.mark.parametrize("role", ["receive", "all"])
async def test_a_receiving_role_refuses_to_start_without_secrets(tmp_path: Path, role: str) -> None:
    variables = environment(tmp_path)
    del variables["AGORA_EVENTS_NOTIFICATION_SECRETS"]
    code, _, complaint = await run(role, variables=variables)
    assert code == 1
    assert "AGORA_EVENTS_NOTIFICATION_SECRETS" in complaint


async def test_a_file_of_a_newer_version_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    newer = sqlite3.connect(tmp_path / "log.db")
    newer.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    newer.execute("PRAGMA user_version = 999")
    newer.close()
    before = (tmp_path / "log.db").read_bytes()
    code, _, complaint = await run("all", variables=environment(tmp_path))
    assert code == 1
    assert "999" in complaint
    assert "Traceback" not in complaint
    assert (tmp_path / "log.db").read_bytes() == before


async def test_a_busy_port_is_said_in_one_line(tmp_path: Path) -> None:
    async with started("receive", environment(tmp_path)) as first:
        address = first.url.removeprefix("http://")
        other = environment(tmp_path, AGORA_EVENTS_LISTEN=address, AGORA_EVENTS_DATA=str(tmp_path / "other"))
        code, _, complaint = await run("receive", variables=other)
        assert code == 1
        assert f"{address} is in use" in complaint
        assert "Traceback" not in complaint


async def test_control_routes_can_have_an_address_of_their_own(tmp_path: Path) -> None:
    variables = environment(tmp_path, AGORA_EVENTS_CONTROL_LISTEN="127.0.0.1:0")
    async with started("all", variables) as child, Client(child.url) as public:
        assert await notify(public, next(life("a"))) == 200
        assert (await public.get("/tasks", BEARER)).status == 404
        assert (await public.get("/metrics")).status == 404
        assert (await public.get("/livez")).status == 200


async def test_a_stop_in_order_answers_what_was_asked_and_flushes(tmp_path: Path) -> None:
    async with started("all", environment(tmp_path)) as child, Client(child.url) as client:
        bodies = [transcoder(f"t{number}", 110, 0) for number in range(50)]
        answers = [asyncio.create_task(notify(client, body)) for body in bodies]
        await answers[0]
        child.process.send_signal(signal.SIGTERM)

        async def not_ready() -> bool:
            return (await client.get("/readyz")).status == 503

        await eventually(not_ready)
        statuses = await asyncio.gather(*answers)
        assert await child.ended() == 0
    stored = await everything(tmp_path / "log.db", NOTIFICATIONS)
    assert statuses == [200] * 50
    assert len(stored) == 50


async def test_commands_read_the_log_while_a_server_works(tmp_path: Path) -> None:
    variables = environment(tmp_path)
    async with started("all", variables) as child, Client(child.url) as client:
        for body in life("a"):
            await notify(client, body)

        async def ended() -> bool:
            return await status_of(client, "transcoder/a") == "EXIT"

        await eventually(ended)
        code, printed, _ = await run("tasks", "--json", variables=variables)
        assert (code, json.loads(printed)["status"]) == (0, "EXIT")
        code, printed, _ = await run("topics", "read", "agora.transitions", "--json", variables=variables)
        assert [json.loads(line)["data"]["number"] for line in printed.splitlines()] == [1, 2, 3]
        code, printed, _ = await run("replay", variables=variables)
        assert (code, "no difference" in printed) == (0, True)
        code, printed, _ = await run("doctor", variables=variables)
        assert code == 0, printed


async def test_a_receiver_whose_processor_is_away_keeps_its_memory(tmp_path: Path) -> None:
    async with started("receive", environment(tmp_path)) as child, Client(child.url) as client:
        process = psutil.Process(child.process.pid)

        async def send(first: int, count: int) -> None:
            for number in range(first, first + count):
                assert await notify(client, transcoder(f"t{number}", 110, 0)) == 200

        await asyncio.gather(*(send(1000 * sender, 100) for sender in range(8)))
        before = process.memory_info().rss
        await asyncio.gather(*(send(100_000 + 1000 * sender, 500) for sender in range(8)))
        assert process.memory_info().rss - before < 8 * 2**20
    assert len(await everything(tmp_path / "log.db", NOTIFICATIONS)) == 4800


async def test_a_stream_key_and_the_secrets_are_in_no_file_and_no_line(tmp_path: Path) -> None:
    variables = environment(tmp_path, AGORA_EVENTS_LOG_LEVEL="debug")
    canary = "rtmp://cdn.example.com/live/canary-stream-key"
    payload = {"converter": {"id": "c1", "rtmpUrl": canary, "state": "running", "createTs": 1, "updateTs": 1}, "lts": 2}
    body = json.dumps(
        {"noticeId": "n", "productId": 5, "eventType": 2, "notifyMs": 3, "payload": {**payload, "token": canary}}
    ).encode()
    async with started("all", variables) as child, Client(child.url) as client:
        assert await notify(client, body) == 200
        assert (await client.post("/notifications", body, {"Agora-Signature-V2": "0" * 64})).status == 401

        async def folded() -> bool:
            return await status_of(client, "push/c1") == "IN_PROGRESS"

        await eventually(folded)
        shown = [
            await client.get("/metrics"),
            await client.get("/tasks", BEARER),
            await client.get("/tasks/push/c1", BEARER),
        ]
    kept = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    told = b"".join(answer.body for answer in shown) + b"".join(child.lines)
    for secret in (b"canary-stream-key", SECRET.encode(), TOKEN.encode()):
        assert secret not in kept
        assert secret not in told
