"""Photo -> segments."""
