"""The machine: its facts, disturbances and GPUs, its locks, and whether it can run kit."""
