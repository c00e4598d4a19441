"""The networks as torch modules: what training trains, and what the graphs of the engine are made from."""
