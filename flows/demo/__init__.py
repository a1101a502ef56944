"""`inkstream demo` streams a small inbox into a table."""
