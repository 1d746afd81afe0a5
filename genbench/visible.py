"""Text of others made harmless: what would steer a terminal, or hide, is shown as its escape."""

import re

_STEERING = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f"  # control characters, but for tab and line feed
    "\xad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"  # unseen
    "\ud800-\udfff\U000e0000-\U000e007f]"  # file names that are no UTF-8; tags
)


def visible(text: str) -> str:
    """The text with every character that steers a terminal, or that nobody sees, written out.

    `"\\x1b[2J"` becomes `"\\\\x1b[2J"`. Line feeds and tabs stay.
    """
    return _STEERING.sub(lambda found: ascii(found[0])[1:-1], text)
