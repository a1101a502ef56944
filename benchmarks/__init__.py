"""Measurements that say how fast Inkstream is, next to what else could do the job."""
