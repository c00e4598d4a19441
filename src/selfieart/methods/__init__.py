"""Style transfer by optimisation: a picture is changed until its features are those that are wanted."""
