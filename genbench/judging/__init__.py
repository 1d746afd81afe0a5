"""What stored numbers say: cells, statistics, claims, the gate, comparisons."""
