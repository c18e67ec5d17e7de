"""What several tests share: made sessions, benches, folders, other processes."""
