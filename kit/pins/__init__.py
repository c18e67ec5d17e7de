"""Pins: which images and parts the kit uses, by digest."""
