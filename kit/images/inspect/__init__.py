"""The content of an image: its digest, its packages, and comparison with a second build."""
