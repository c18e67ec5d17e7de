"""Planning: blocks, order, seeds and limits; pure."""
