"""Page work in a sandboxed child process: what runs inside it, and its caller."""
