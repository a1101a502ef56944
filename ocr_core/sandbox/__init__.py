"""Run work that may crash, hang or exhaust memory in a supervised child process."""
