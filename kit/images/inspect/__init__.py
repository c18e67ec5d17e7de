"""What an image holds: its content digest, its packages, a second build compared."""
