"""What each command does: the order of the steps, and all that they touch, handed in."""
