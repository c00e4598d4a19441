"""A photo, its segments and a look become a picture."""
