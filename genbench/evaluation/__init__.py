"""Evidence about a trained model, and the metrics that read it."""
