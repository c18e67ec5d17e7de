"""The base images of all arms: pulled by digest, or made here."""
