"""Network architectures, independent of objectives."""
