"""Pages of hand-offs, a file for each noun."""
