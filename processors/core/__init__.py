"""Pure decisions: tables and functions of (state, input, now)."""
