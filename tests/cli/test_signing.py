"""`sign`, `verify` and `send`: the vendor's side of the wire, in the operator's hand."""

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pytest

from schemas.codec import decode
from schemas.signature import V1_HEADER, V2_HEADER, source_of
from tests.cli.shell import SECRET, Shell

TWO_SOURCES = '{"transcoder":["new","old"],"push":"p"}'
# The vendor's published vector, facts A.6.
BODY = (
    b'{"eventMs":1560408533119,"eventType":10,"noticeId":"4eb720f0-8da7-11e9-a43e-53f411c2761f",'
    b'"notifyMs":1560408533119,"payload":{"a":"1","b":2},"productId":1}'
)
V1 = "033c62f40f687675f17f0f41f91a40c71c0f134c"
V2 = "6d3320c60b11101395b7fc8f9068748808a0aa1bfa064438e39d1bc2c7d74d99"


def test_a_file_is_signed_as_the_vendor_signs(bare: Shell) -> None:
    bare.write("body", BODY)
    bare.write("secret", "secret\n")
    signed = bare.run("sign", "body", "--secret-file", "secret")
    assert (signed.code, signed.out) == (0, f"{V2_HEADER}: {V2}\n{V1_HEADER}: {V1}\n")


def test_stdin_is_signed_with_the_only_source(shell: Shell) -> None:
    headers = shell.run("sign", "--json", stdin=BODY).lines[0]
    assert source_of({"x": [SECRET.encode()]}, BODY, headers[V2_HEADER], None, accept_v1=True) == "x"


def test_the_newest_secret_of_a_source_signs(shell: Shell) -> None:
    headers = (
        shell.having(AGORA_EVENTS_NOTIFICATION_SECRETS=TWO_SOURCES)
        .run("sign", "--source", "transcoder", "--json", stdin=BODY)
        .lines[0]
    )
    assert source_of({"new": [b"new"]}, BODY, headers[V2_HEADER], None, accept_v1=True) == "new"


def test_the_secret_may_come_from_stdin(bare: Shell) -> None:
    bare.write("body", BODY)
    assert bare.run("sign", "body", "--secret-file", "-", "--json", stdin=b"secret").lines == [
        {V2_HEADER: V2, V1_HEADER: V1}
    ]


@pytest.mark.parametrize(
    "args",
    [
        ["sign", "--secret-file", "-"],
        ["sign", "-", "--source", "nobody"],
        ["sign", "-", "--source", "transcoder", "--secret-file", "x"],
        ["send", "localhost:8080"],
        ["send", "http://localhost:1", "--sample", "nothing"],
        ["send", "http://localhost:1", "--file", "-", "--fresh"],
        ["verify"],
    ],
    ids=" ".join,
)
def test_wrong_use_ends_with_2(shell: Shell, args: list[str]) -> None:
    outcome = shell.run(*args, stdin=b"not json")
    assert outcome.code == 2
    assert outcome.out == ""


def test_one_of_several_sources_must_be_named(shell: Shell) -> None:
    outcome = shell.having(AGORA_EVENTS_NOTIFICATION_SECRETS=TWO_SOURCES).run("sign")
    assert outcome.code == 2
    assert "--source" in outcome.err


def test_without_any_secret_signing_fails_in_one_line(bare: Shell) -> None:
    outcome = bare.run("sign", stdin=BODY)
    assert outcome.code == 1
    assert outcome.err.startswith("AGORA_EVENTS_NOTIFICATION_SECRETS: ")


def test_a_body_that_is_not_there_is_one_line(shell: Shell) -> None:
    outcome = shell.run("sign", "absent")
    assert (outcome.code, outcome.err) == (1, "absent: No such file or directory\n")


@pytest.mark.parametrize(
    ("option", "digest", "version"), [("--v2", V2, "V2"), ("--v2", V2.upper(), "V2"), ("--v1", V1, "V1")]
)
def test_a_right_signature_names_its_source(shell: Shell, option: str, digest: str, version: str) -> None:
    shell.write("body", BODY)
    shell = shell.having(AGORA_EVENTS_NOTIFICATION_SECRETS='{"rtc":["other","secret"]}')
    outcome = shell.run("verify", "body", option, digest, "--json")
    assert (outcome.code, outcome.lines) == (0, [{"ok": True, "source": "rtc", "version": version}])
    assert "ok  " + version in shell.run("verify", "body", option, digest).out


@pytest.mark.parametrize(
    ("args", "cause"),
    [
        ([], "missing"),
        (["--v2", "zz"], "malformed"),
        (["--v2", "0" * 64], "unknown"),
        (["--v2", "0" * 64, "--v1", V1], "v1-only"),
        (["--v2", V2, "--source", "push"], "other-source"),
    ],
)
def test_a_wrong_signature_is_explained(shell: Shell, args: list[str], cause: str) -> None:
    shell.write("body", BODY)
    shell = shell.having(AGORA_EVENTS_NOTIFICATION_SECRETS='{"rtc":"secret","push":"p-canary"}')
    outcome = shell.run("verify", "body", *args, "--json")
    assert (outcome.code, outcome.lines[0]["cause"]) == (1, cause)
    told = shell.run("verify", "body", *args)
    assert told.code == 1
    assert cause in told.err
    assert "p-canary" not in told.err


def test_v1_alone_fits_nothing_where_it_is_switched_off(shell: Shell) -> None:
    shell.write("body", BODY)
    shell.write("secret", "secret")
    args = ("verify", "body", "--v1", V1, "--secret-file", "secret", "--json")
    assert shell.having(AGORA_EVENTS_ACCEPT_V1="false").run(*args).lines[0]["cause"] == "v1-disabled"
    assert shell.run(*args).code == 0


@dataclass
class Endpoint:
    """An address that answers as told and keeps what came."""

    url: str
    received: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list[tuple[str, dict[str, str], bytes]])


@contextmanager
def answering(status: int, answer: bytes) -> Generator[Endpoint]:
    class Answers(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            endpoint.received.append((self.path, dict(self.headers), body))
            self.send_response(status)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name upstream
            """Say nothing."""

    with HTTPServer(("127.0.0.1", 0), Answers) as server:
        endpoint = Endpoint(f"http://127.0.0.1:{server.server_port}")
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield endpoint
        server.shutdown()
        thread.join()


def test_a_sample_arrives_signed_and_new_each_time(shell: Shell) -> None:
    with answering(200, b"{}") as endpoint:
        outcome = shell.run("send", endpoint.url, "--json")
        shell.run("send", f"{endpoint.url}/notifications/transcoder")
    assert outcome.code == 0
    assert outcome.lines == [{"url": f"{endpoint.url}/notifications", "status": 200, "answer": "{}"}]
    (path, headers, body), (other_path, _, other_body) = endpoint.received
    assert (path, other_path) == ("/notifications", "/notifications/transcoder")
    assert source_of({"x": [SECRET.encode()]}, body, headers[V2_HEADER], None, accept_v1=False) == "x"
    assert headers["Content-Type"] == "application/json"
    assert decode(body)["eventType"] == 110
    assert decode(body)["noticeId"] != decode(other_body)["noticeId"]


def test_a_file_arrives_byte_for_byte_unless_it_is_to_be_news(shell: Shell) -> None:
    shell.write("body", BODY)
    with answering(200, b"{}") as endpoint:
        shell.run("send", endpoint.url, "--file", "body")
        shell.run("send", endpoint.url, "--file", "body", "--fresh")
    sent, fresh = (body for _, _, body in endpoint.received)
    assert sent == BODY
    assert decode(fresh)["noticeId"] != decode(BODY)["noticeId"]
    assert decode(fresh)["payload"] == decode(BODY)["payload"]


def test_another_answer_than_200_is_a_failure(shell: Shell) -> None:
    with answering(401, b'{"cause":"no"}\x1b[2J') as endpoint:
        outcome = shell.run("send", endpoint.url)
    assert outcome.code == 1
    assert "401" in outcome.out
    assert "\x1b" not in outcome.out


def test_nobody_there_is_one_line(shell: Shell) -> None:
    with answering(200, b"") as endpoint:
        gone = endpoint.url
    outcome = shell.run("send", gone)
    assert outcome.code == 1
    assert outcome.err.startswith(f"{gone}/notifications: no answer")


def test_among_several_sources_the_address_or_the_sample_names_the_one(shell: Shell) -> None:
    several = shell.having(AGORA_EVENTS_NOTIFICATION_SECRETS=TWO_SOURCES)
    with answering(200, b"{}") as endpoint:
        assert several.run("send", f"{endpoint.url}/notifications/push").code == 0
        assert several.run("send", endpoint.url, "--sample", "push-1-created").code == 0
    for _, headers, body in endpoint.received:
        assert source_of({"push": [b"p"]}, body, headers[V2_HEADER], None, accept_v1=False) == "push"
