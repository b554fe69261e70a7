"""The log as one SQLite file."""

from processors.adapters.sqlite.log import SqliteLog
from processors.adapters.sqlite.retention import Retention

__all__ = ["Retention", "SqliteLog"]
