"""The machine's GPUs: their facts, whether CUDA arms can run on them, and their telemetry."""
