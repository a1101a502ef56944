"""What the command prints: tables and progress for people, JSON Lines for programs."""
