"""Planning of a session: runs in blocks, their order, seeds and limits; pure."""
