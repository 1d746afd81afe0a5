"""Datasets: real images and toys with an exact density."""
