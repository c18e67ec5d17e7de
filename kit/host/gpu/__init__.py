"""GPUs: what there is, whether CUDA arms can run on it, and what it did meanwhile."""
