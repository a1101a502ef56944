"""The reading library of Inkstream: bytes in, page results out. It knows no orchestrator, no bucket and no table."""
