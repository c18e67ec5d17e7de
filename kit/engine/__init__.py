"""Container engines: one protocol, its implementation over docker-py, and discovery."""
