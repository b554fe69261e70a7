"""The clock on the wall."""

import asyncio
import time
from datetime import timedelta


class SystemClock:
    """`ports.Clock` by the operating system."""

    def now_ms(self) -> int:
        """Unix milliseconds."""
        return time.time_ns() // 1_000_000

    async def sleep(self, duration: timedelta) -> None:
        """Return after a duration of real time."""
        await asyncio.sleep(duration.total_seconds())
