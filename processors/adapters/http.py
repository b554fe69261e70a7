"""The one door to the HTTP client."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, Self

import httpx2

from schemas.errors import Unavailable

PATIENCE: Final = timedelta(seconds=10)
NO_HEADERS: Final[Mapping[str, str]] = {}


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server answered; header names in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Client:
    """Connections to one origin, kept open; redirects are not followed.

    Every call raises Unavailable when there is no answer in time; the request may have arrived all the same. The text
    names the address and the kind of failure, never a header or the body.
    """

    def __init__(self, origin: str, within: timedelta = PATIENCE) -> None:
        self._origin = origin
        self._seconds = within.total_seconds()
        self._client = httpx2.AsyncClient(timeout=self._seconds, follow_redirects=False)

    async def __aenter__(self) -> Self:
        """Ready to call."""
        return self

    async def __aexit__(self, *failure: object) -> None:
        """Close the connections."""
        await self._client.aclose()

    async def get(self, path: str, headers: Mapping[str, str] = NO_HEADERS) -> Answer:
        """The answer to a GET."""
        return await self._ask("GET", path, b"", headers)

    async def post(self, path: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        """The answer to a POST of bytes, sent as they are."""
        return await self._ask("POST", path, body, headers)

    async def _ask(self, method: str, path: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        url = f"{self._origin}{path}"
        try:
            async with asyncio.timeout(self._seconds):
                response = await self._client.request(method, url, content=body, headers=dict(headers))
        except (httpx2.HTTPError, httpx2.InvalidURL, TimeoutError) as error:
            raise Unavailable(f"{url}: no answer: {str(error) or type(error).__name__}") from error
        return Answer(
            response.status_code, {name.lower(): value for name, value in response.headers.items()}, response.content
        )


async def post(url: str, body: bytes, headers: Mapping[str, str], within: timedelta) -> Answer:
    """One POST to a whole address, as `Client.post`."""
    async with Client(url, within) as client:
        return await client.post("", body, headers)
