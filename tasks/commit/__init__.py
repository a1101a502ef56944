"""The commit: the only place where exactly-once is decided. It does not depend on any sink."""
