"""Feature extractors: networks whose features and logits the sample metrics are taken in."""
