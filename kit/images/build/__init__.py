"""From recipes and pins to the images of the arms."""
