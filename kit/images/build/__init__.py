"""Building the images of the arms from recipes and pins."""
