"""Run records on disk, and the tables made of them."""
