"""Building blocks: networks that know no objective."""
