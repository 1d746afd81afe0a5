"""Running cells of a suite, here or elsewhere."""
