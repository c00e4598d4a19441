"""How good weights and methods are: what ``selfieart evaluate`` does."""
