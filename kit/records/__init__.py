"""The recorded facts of a session, as frozen values; pure."""
