"""How Inkstream runs for real."""
