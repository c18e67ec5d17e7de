"""The results folder of a session."""
