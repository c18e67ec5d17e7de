"""The base images that every arm rests on: pulled by digest, or made here."""
