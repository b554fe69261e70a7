"""Folding the log into task statuses: a pure core, an engine around it, adapters behind ports."""
