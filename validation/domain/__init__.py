"""What a check says of points: pure functions on frozen values."""
