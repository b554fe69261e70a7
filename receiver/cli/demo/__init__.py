"""`demo`: the published life cycles through the real endpoint, watched as they become statuses."""
