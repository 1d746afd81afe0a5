"""The parts of adversarial training: loss pairs, penalties, heads and tricks."""
