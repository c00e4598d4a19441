"""What the server answers, by what is asked about."""
