"""`verify`: does a signature fit, and if not, why."""

from pathlib import Path
from typing import Annotated

import typer

from processors.settings import load
from receiver.cli.signing import STDIN, SecretFile, Source, candidates, content
from receiver.cli.terminal import AsJson, emit, say, warn
from schemas.signature import ADVICE, V1_HEADER, V2_HEADER, explain, source_of

app = typer.Typer(add_completion=False)


@app.command(epilog="Example: agora-events verify body.json --v2 6d3320c60b11…")
def verify(
    body: Annotated[Path, typer.Argument(help="The body as it arrived, byte for byte; - is stdin.")],
    *,
    v2: Annotated[str | None, typer.Option("--v2", help=f"The value of {V2_HEADER}.")] = None,
    v1: Annotated[str | None, typer.Option("--v1", help=f"The value of {V1_HEADER}.")] = None,
    source: Source = None,
    secret_file: SecretFile = None,
    as_json: AsJson = False,
) -> None:
    """Say whose signature this is, or why it fits no secret."""
    if body == STDIN == secret_file:
        raise typer.BadParameter("stdin can not be both the body and the secret")
    tried = candidates(source, secret_file)
    settings = load()
    sent = content(body)
    fitting = source_of(tried, sent, v2, v1, accept_v1=settings.accept_v1)
    if fitting is not None:
        version = "V1" if v2 is None else "V2"
        if as_json:
            emit({"ok": True, "source": fitting, "version": version})
        else:
            say(("ok", "green"), f"  {version} of source {fitting}")
        return
    known = {**settings.signing_secrets, **tried}
    cause = explain(tried, known, sent, v2, v1, accept_v1=settings.accept_v1)
    if as_json:
        emit({"ok": False, "cause": cause, "advice": ADVICE[cause]})
    else:
        warn((cause, "red"), f"  {ADVICE[cause]}")
    raise typer.Exit(1)
