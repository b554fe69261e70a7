"""Where the commands that sign and verify find bodies and secrets."""

import sys
from pathlib import Path
from typing import Annotated, Final

import typer

from processors.settings import load
from schemas.signature import V1_DIGEST, V1_HEADER, V2_DIGEST, V2_HEADER, Secrets, sign

STDIN: Final = Path("-")
GIVEN: Final = "given"

Source = Annotated[str | None, typer.Option(help="Whose secret of AGORA_EVENTS_NOTIFICATION_SECRETS.")]
SecretFile = Annotated[Path | None, typer.Option(help="Read the secret from this file instead; - is stdin.")]


def content(path: Path) -> bytes:
    """The bytes of a file, of stdin for `-`."""
    return sys.stdin.buffer.read() if path == STDIN else path.read_bytes()


def candidates(source: str | None, secret_file: Path | None) -> Secrets:
    """The secrets to use: the file's one, else those of the settings, of one source or of all."""
    if source is not None and secret_file is not None:
        raise typer.BadParameter("--source and --secret-file name two secrets: give one")
    if secret_file is not None:
        # Only the line's end is an editor's; blanks may belong to a secret.
        secret = content(secret_file).rstrip(b"\r\n")
        if not secret:
            raise typer.BadParameter(f"{secret_file}: holds no secret")
        return {GIVEN: (secret,)}
    known = load(receives=True).signing_secrets
    if source is None:
        return known
    if source not in known:
        raise typer.BadParameter(f"{source!r} is no configured source: choose from {', '.join(known)}")
    return {source: known[source]}


def secret_of(source: str | None, secret_file: Path | None, *hints: str) -> bytes:
    """The newest secret of one source; with one configured, or a hint that names one, it need not be named."""
    found = candidates(source, secret_file)
    named = next((hint for hint in hints if hint in found), None)
    if named is not None:
        return found[named][0]
    if len(found) > 1:
        raise typer.BadParameter(f"several sources are configured: name one with --source: {', '.join(found)}")
    return next(iter(found.values()))[0]


def signature_headers(secret: bytes, body: bytes) -> dict[str, str]:
    """Both signatures, as the vendor sends them."""
    return {V2_HEADER: sign(secret, body, V2_DIGEST), V1_HEADER: sign(secret, body, V1_DIGEST)}
