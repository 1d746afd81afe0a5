"""The loop that lets players move, and what it keeps."""
