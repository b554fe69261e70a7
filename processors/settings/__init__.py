"""Every setting, typed, read once at the start; only `wiring` and the command line read it."""

from processors.settings.loading import SettingsError, contradictions, fields, load, note, warnings
from processors.settings.model import PREFIX, Settings
from processors.settings.values import Address, ApiToken, Network, Role, SqliteFile

__all__ = [
    "PREFIX",
    "Address",
    "ApiToken",
    "Network",
    "Role",
    "Settings",
    "SettingsError",
    "SqliteFile",
    "contradictions",
    "fields",
    "load",
    "note",
    "warnings",
]
