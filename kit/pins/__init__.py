"""Pins: the images and packages that the kit uses, by digest."""
