"""The edge: the HTTP endpoints and the command line."""
