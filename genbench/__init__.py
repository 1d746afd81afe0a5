"""genbench: a benchmark and evaluation harness for deep generative models."""

__version__ = "0.1.0"

__all__ = ["__version__"]
