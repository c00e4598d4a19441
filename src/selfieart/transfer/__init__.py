"""Style transfer methods, each knowing pictures and styles but no segments."""
