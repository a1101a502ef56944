"""Page work in a sandboxed child process: the handlers inside it, and their callers."""
