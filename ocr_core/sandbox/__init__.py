"""Supervised child processes for work that may crash, hang or exhaust memory."""
