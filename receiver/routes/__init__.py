"""HTTP routes; they know only `receiver.ports` and `schemas`."""
