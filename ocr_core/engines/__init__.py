"""What reads: each engine behind one small Protocol."""
