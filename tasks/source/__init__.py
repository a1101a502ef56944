"""The source, where documents arrive: listing it, finding new files, and cleaning up files that are done."""
