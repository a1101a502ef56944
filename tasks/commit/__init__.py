"""The commit: the only place where exactly-once is decided. It knows no sink."""
