"""A handler that cannot be imported."""

raise ImportError("libgone.so.1: cannot open shared object file")
