"""Distributions that can be sampled."""
