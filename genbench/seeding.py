"""Seeds from names: the same names give the same seed on every machine, in any order."""

import hashlib


def derive(*names: object) -> int:
    """A 63-bit seed that depends on the names alone (blake2b; stable across Python versions)."""
    text = "\x1f".join(str(name) for name in names)
    raw = hashlib.blake2b(_bytes(text), digest_size=8).digest()
    return int.from_bytes(raw, "big") >> 1


def digest(text: str | bytes, length: int = 8) -> str:
    """A short hexadecimal name for a text: `length` characters of its blake2b hash."""
    raw = _bytes(text) if isinstance(text, str) else text
    return hashlib.blake2b(raw, digest_size=16).hexdigest()[:length]


def _bytes(text: str) -> bytes:
    """In UTF-8; names of files that are none (which Python holds as lone surrogates) as they are
    on the disk."""
    return text.encode("utf-8", "surrogateescape")
