"""The shared language: records, topics, vendor payloads, state, codec. No IO, no clock."""
