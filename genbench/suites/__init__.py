"""Suites: YAML with line numbers, its schema, and its expansion into runs."""
