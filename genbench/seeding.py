"""Seeds from names: the same names give the same seed on every machine, in any order."""

from __future__ import annotations

import hashlib

__all__ = ["derive", "digest"]


def derive(*names: object) -> int:
    """A 63-bit seed that depends on the names alone (blake2b; stable across Python versions)."""
    text = "\x1f".join(str(name) for name in names)
    raw = hashlib.blake2b(text.encode(), digest_size=8).digest()
    return int.from_bytes(raw, "big") >> 1


def digest(text: str | bytes, length: int = 8) -> str:
    """A short hexadecimal name for a text: `length` characters of its blake2b hash."""
    raw = text.encode() if isinstance(text, str) else text
    return hashlib.blake2b(raw, digest_size=16).hexdigest()[:length]
