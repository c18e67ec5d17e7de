"""The sections of the markdown report; each takes the model and returns safe text."""
