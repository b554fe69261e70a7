"""The world behind the ports; adapters do not know each other."""
