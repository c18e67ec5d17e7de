"""The study: what is checked; data and its typed form."""
