"""`send`: a signed notification, as the vendor would send it."""

import asyncio
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Final
from urllib.parse import urlsplit

import typer

from processors.adapters.clock import SystemClock
from processors.adapters.http import Answer, post
from receiver.cli import samples
from receiver.cli.signing import STDIN, SecretFile, Source, content, secret_of, signature_headers
from receiver.cli.terminal import AsJson, emit, say
from schemas.codec import DecodeError, decode, is_object

app = typer.Typer(add_completion=False)

OK: Final = 200
PATIENCE: Final = timedelta(seconds=10)  # vendor: the same, facts A.1
CONTENT_TYPE: Final = {"Content-Type": "application/json"}


@app.command(epilog="Example: agora-events send http://127.0.0.1:8080/notifications --sample push-1-created")
def send(
    url: Annotated[str, typer.Argument(help="Where to; without a path, /notifications is meant.")],
    *,
    sample: Annotated[
        str, typer.Option(help="Which published payload, a name of schemas/examples, with a notice id of its own.")
    ] = samples.DEFAULT,
    file: Annotated[Path | None, typer.Option(help="Send this body instead, byte for byte; - is stdin.")] = None,
    fresh: Annotated[bool, typer.Option("--fresh", help="Give the file's notification a new notice id.")] = False,
    source: Source = None,
    secret_file: SecretFile = None,
    as_json: AsJson = False,
) -> None:
    """Send a signed notification and print the answer.

    Exit code 1 when it is not 200.
    """
    if file == STDIN == secret_file:
        raise typer.BadParameter("stdin can not be both the body and the secret")
    address = _address(url)
    # The address may name the source, and a sample's product often has the source's name.
    secret = secret_of(source, secret_file, urlsplit(address).path.rpartition("/")[2], samples.product(sample))
    body = _body(sample, file, fresh=fresh)
    answer = asyncio.run(post(address, body, {**CONTENT_TYPE, **signature_headers(secret, body)}, PATIENCE))
    _print(address, answer, as_json=as_json)
    if answer.status != OK:
        raise typer.Exit(1)


def _address(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.netloc:
        raise typer.BadParameter(f"{url!r} is no http(s) address: write http://127.0.0.1:8080/notifications")
    return url if parts.path.strip("/") else parts._replace(path="/notifications").geturl()


def _body(sample: str, file: Path | None, *, fresh: bool) -> bytes:
    now_ms = SystemClock().now_ms()
    if file is None:
        if sample not in samples.names():
            raise typer.BadParameter(f"{sample!r} is no sample: choose from {', '.join(samples.names())}")
        return samples.sample(sample, now_ms)
    body = content(file)
    if not fresh:
        return body
    try:
        envelope = decode(body)
    except DecodeError as error:
        raise typer.BadParameter(f"{file}: not JSON ({error.msg}): send it without --fresh") from None
    if not is_object(envelope):
        raise typer.BadParameter(f"{file}: not a JSON object: send it without --fresh")
    return samples.fresh(envelope, now_ms)


def _print(address: str, answer: Answer, *, as_json: bool) -> None:
    text = answer.body.decode("utf-8", "replace")
    if as_json:
        emit({"url": address, "status": answer.status, "answer": text})
    else:
        say((str(answer.status), "green" if answer.status == OK else "red"), f"  {text}  ", (address, "dim"))
