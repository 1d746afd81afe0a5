"""Figures of a report: the folder is the registry, with a file for each kind."""
