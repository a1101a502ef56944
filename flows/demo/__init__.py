"""`inkstream demo`: the main job on a small inbox."""
