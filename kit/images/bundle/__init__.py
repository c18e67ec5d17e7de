"""Offline bundles: every image, the pins, the study and the kit itself in one archive."""
