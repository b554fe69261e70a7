"""Signing and verifying notification bodies (facts A.1, A.6).

The vendor signs the raw body bytes with the product's secret: HMAC-SHA256 in `Agora-Signature-V2`, HMAC-SHA1 in
`Agora-Signature`, hex. V2 decides when it is present; V1 alone is accepted only where the operator allows it.
"""

import hmac
from binascii import unhexlify
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Final

V1_HEADER: Final = "Agora-Signature"
V2_HEADER: Final = "Agora-Signature-V2"
V1_DIGEST: Final = "sha1"
V2_DIGEST: Final = "sha256"

Secrets = Mapping[str, Sequence[bytes]]
"""Source name -> its live secrets, newest first."""


class Mismatch(StrEnum):
    """Why a signature was refused, as far as a human can check it without being told the secret."""

    MISSING = "missing"
    V1_DISABLED = "v1-disabled"
    MALFORMED = "malformed"
    OTHER_SOURCE = "other-source"
    V1_ONLY = "v1-only"
    UNKNOWN = "unknown"


ADVICE: Final[Mapping[Mismatch, str]] = {
    Mismatch.MISSING: "No signature header. The vendor sends Agora-Signature-V2; check that a proxy passes it on.",
    Mismatch.V1_DISABLED: "Only Agora-Signature (V1) was sent and V1 alone is switched off here.",
    Mismatch.MALFORMED: "The signature is not hex of the right length: V2 has 64 digits, V1 has 40.",
    Mismatch.OTHER_SOURCE: "The secret of another configured source fits: the console sends this to the wrong address.",
    Mismatch.V1_ONLY: "V1 fits but V2 does not: the V2 header was altered on its way or belongs to another body.",
    Mismatch.UNKNOWN: "No configured secret fits. Either the secret differs from the console's, or a proxy altered the "
    "body: signatures cover the raw bytes, so re-encoding or re-formatting JSON breaks them.",
}


def sign(secret: bytes, body: bytes, digest: str = V2_DIGEST) -> str:
    """The signature the vendor would send for this body, lower-case hex."""
    return hmac.digest(secret, body, digest).hex()


def source_of(secrets: Secrets, body: bytes, v2: str | None, v1: str | None, *, accept_v1: bool) -> str | None:
    """The source one of whose secrets signed the body, None when none did. Constant time per secret."""
    if v2 is not None:
        return _fitting(secrets, body, v2, V2_DIGEST)
    if v1 is not None and accept_v1:
        return _fitting(secrets, body, v1, V1_DIGEST)
    return None


def explain(
    tried: Secrets, known: Secrets, body: bytes, v2: str | None, v1: str | None, *, accept_v1: bool
) -> Mismatch:
    """Why `source_of(tried, …)` answered None, in the order a human would check; `known` holds every source."""
    if v2 is None and v1 is None:
        return Mismatch.MISSING
    if v2 is None and not accept_v1:
        return Mismatch.V1_DISABLED
    if not _well_formed(v2, V2_DIGEST) or not _well_formed(v1, V1_DIGEST):
        return Mismatch.MALFORMED
    if v2 is not None and v1 is not None and _fitting(tried, body, v1, V1_DIGEST):
        return Mismatch.V1_ONLY
    if source_of(known, body, v2, v1, accept_v1=accept_v1):
        return Mismatch.OTHER_SOURCE
    return Mismatch.UNKNOWN


def _fitting(secrets: Secrets, body: bytes, signature: str, digest: str) -> str | None:
    try:
        claimed = unhexlify(signature)
    except ValueError:
        return None
    # A wrong length can not fit: refused before it costs an HMAC per secret.
    if len(claimed) != DIGEST_BYTES[digest]:
        return None
    for source, live in secrets.items():
        for secret in live:
            if hmac.compare_digest(hmac.digest(secret, body, digest), claimed):
                return source
    return None


DIGEST_BYTES: Final = {V1_DIGEST: 20, V2_DIGEST: 32}


def _well_formed(signature: str | None, digest: str) -> bool:
    if signature is None:
        return True
    return len(signature) == 2 * DIGEST_BYTES[digest] and all(
        character in "0123456789abcdefABCDEF" for character in signature
    )
