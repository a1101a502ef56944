"""Documents and their pages, whatever the file format."""
