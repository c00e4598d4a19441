"""Training of the packaged weights; it uses the library as a user would."""
