"""Load from wrk on the second core, against a server pinned to the first."""

import json
import os
import re
import shutil
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from schemas.signature import sign

SECRET: Final = "bench-secret"
BODIES: Final = 20_000
CONNECTIONS: Final = 64
UP_WITHIN_SECONDS: Final = 20


def script(folder: Path) -> Path:
    """A wrk script that posts signed notifications of the published shape, each with a notice of its own."""
    sample = Path("schemas/examples/ct-112-status-running.json").read_text()
    lines = ["local bodies, signatures = {}, {}"]
    for number in range(1, BODIES + 1):
        payload = json.loads(sample) | {"taskId": f"task{number % 2000:032x}", "sequence": number // 2000}
        envelope = {"noticeId": f"n{number:08d}", "productId": 22, "eventType": 112, "notifyMs": 1_760_000_000_000}
        body = json.dumps({**envelope, "payload": payload}, separators=(",", ":"))
        lines.append(
            f"bodies[{number}]={json.dumps(body)}; signatures[{number}]='{sign(SECRET.encode(), body.encode())}'"
        )
    lines += [
        "local at = 0",
        "request = function()",
        f"  at = at % {BODIES} + 1",
        '  return wrk.format("POST", "/notifications",',
        '    {["Content-Type"]="application/json", ["Agora-Signature-V2"]=signatures[at]}, bodies[at])',
        "end",
        "done = function(summary, latency, requests)",
        '  io.write(string.format("RESULT %d %d %d %d %.0f %.0f\\n", summary.requests, summary.duration,',
        "    summary.errors.status, summary.errors.timeout + summary.errors.connect + summary.errors.read,",
        "    latency:percentile(50), latency:percentile(99)))",
        "end",
    ]
    path = folder / "post.lua"
    path.write_text("\n".join(lines))
    return path


@contextmanager
def server(arguments: Sequence[str], port: int, environment: Mapping[str, str]) -> Generator[int]:
    """A server pinned to the first core, up when its port answers; yields its pid."""
    command = ["taskset", "-c", "0", sys.executable, *arguments]
    with subprocess.Popen(command, env={**os.environ, **environment}, stderr=subprocess.DEVNULL) as process:
        try:
            until(lambda: _answers(f"http://127.0.0.1:{port}/notifications"))
            yield process.pid
        finally:
            process.terminate()
            process.wait(30)


def drive(port: int, lua: Path, seconds: int) -> tuple[float, int, float, float]:
    """Requests per second answered 200, others, and the latency's p50 and p99 in ms."""
    if shutil.which("wrk") is None:
        raise SystemExit("wrk is missing: apt-get install wrk")
    url = f"http://127.0.0.1:{port}/notifications"
    command = ["taskset", "-c", "1", "wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "-s", str(lua), url]
    output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    found = re.search(r"RESULT (\d+) (\d+) (\d+) (\d+) (\d+) (\d+)", output)
    if found is None:
        raise SystemExit(f"wrk said nothing: {output}")
    requests, micros, refused, failed, p50, p99 = (int(part) for part in found.groups())
    return (requests - refused) / micros * 1e6, refused + failed, p50 / 1000, p99 / 1000


def until(ready: Callable[[], bool]) -> None:
    """Ask until the answer is yes; a server that is not up yet is a no."""
    deadline = time.monotonic() + UP_WITHIN_SECONDS
    while time.monotonic() < deadline:
        with suppress(OSError):
            if ready():
                return
        time.sleep(0.05)
    raise SystemExit("the server did not come up")


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=1):
            return True
    except urllib.error.HTTPError:
        return True
