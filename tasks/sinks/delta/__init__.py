"""The Delta sink. Nothing outside this folder imports `deltalake`."""
