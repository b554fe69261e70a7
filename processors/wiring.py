"""From settings to parts: the only place of the processors that reads them."""

import gc
import sys
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from typing import Final

from processors.adapters.clock import SystemClock
from processors.adapters.keyfile import key_file, read_or_create
from processors.adapters.sqlite.log import SqliteLog
from processors.adapters.sqlite.retention import Retention
from processors.adapters.sqlite.writer import SWITCH_INTERVAL_SECONDS
from processors.core.machines import Machines
from processors.core.policy import Policy
from processors.engine.poison import SetAside
from processors.engine.worker import Worker
from processors.ports import Clock, Log, Partition
from processors.settings import Settings
from schemas.metrics import Metrics
from schemas.seal import Seal
from schemas.topics import NOTIFICATIONS

# Requests and notifications leave few cycles behind; the default of 700 collects dozens of times a millisecond's batch.
YOUNG_OBJECTS: Final = 10_000
MILLISECOND: Final = timedelta(milliseconds=1)

# What the engine reads; whoever works partition n of one works it of all.
INPUTS: Final = (NOTIFICATIONS,)


def open_log(settings: Settings) -> Log:
    """The configured log, not yet started."""
    # A folder that can not be made now may come later, like the file in it: the log says Unavailable until then.
    with suppress(OSError):
        settings.log.path.parent.mkdir(parents=True, exist_ok=True)
    retention = Retention(age=settings.retention_age, size_bytes=settings.retention_bytes)
    return SqliteLog(settings.log.path, SystemClock(), retention=retention)


def open_seal(settings: Settings) -> Seal:
    """The configured seal keys, else those of the file beside the log, which is made when there is none.

    Raises Unavailable or Incompatible when that file can not be used.
    """
    if settings.seal_keys:
        return Seal([key.get_secret_value() for key in settings.seal_keys])
    return Seal(read_or_create(key_file(settings.log.path)))


def tune_interpreter() -> None:
    """Settle this process for its work: threads that get their turn in time, collections that do not stall requests."""
    sys.setswitchinterval(SWITCH_INTERVAL_SECONDS)
    # What is loaded by now lives as long as the process; going through it again at every full collection is waste.
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG_OBJECTS, *gc.get_threshold()[1:])


def machines(settings: Settings) -> Machines:
    """The core under the configured policy."""
    return Machines(Policy(lost_after_ms=round(settings.lost_after / MILLISECOND)))


def hiring(settings: Settings, clock: Clock, metrics: Metrics, seal: Seal) -> Callable[[Partition], Worker]:
    """How a partition gets its worker."""
    core = machines(settings)
    set_aside = SetAside(seal.seal)

    def hire(partition: Partition) -> Worker:
        return Worker(partition, machines=core, clock=clock, metrics=metrics, set_aside=set_aside)

    return hire
