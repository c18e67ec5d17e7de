"""What was recorded of a session, as frozen values; pure."""
