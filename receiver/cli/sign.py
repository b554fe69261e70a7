"""`sign`: the headers the vendor would send with a body."""

from pathlib import Path
from typing import Annotated

import typer

from receiver.cli.signing import STDIN, SecretFile, Source, content, secret_of, signature_headers
from receiver.cli.terminal import AsJson, emit

app = typer.Typer(add_completion=False)


@app.command(epilog="Example: agora-events sign body.json --source transcoder")
def sign(
    body: Annotated[Path, typer.Argument(help="The body, byte for byte; - is stdin.")] = STDIN,
    *,
    source: Source = None,
    secret_file: SecretFile = None,
    as_json: AsJson = False,
) -> None:
    """Sign a body; print both headers."""
    if body == STDIN == secret_file:
        raise typer.BadParameter("stdin can not be both the body and the secret")
    headers = signature_headers(secret_of(source, secret_file), content(body))
    if as_json:
        emit(headers)
        return
    for name, value in headers.items():
        typer.echo(f"{name}: {value}")
