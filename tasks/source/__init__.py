"""Where documents arrive: what is there, what is new, and what becomes of a file that is done."""
