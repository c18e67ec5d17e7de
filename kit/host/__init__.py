"""A machine: facts about it, what disturbs it, its GPUs, and whether it can run the kit."""
