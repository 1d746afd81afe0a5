"""Tables, figures, claims, comparisons and the regression gate, from stored results alone."""
