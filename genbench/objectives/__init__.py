"""Ways to learn a model: pure losses."""
