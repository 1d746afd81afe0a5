"""What file managers and systems leave in folders, which is nobody's data."""

_LEFT = {
    "__macosx", "$recycle.bin", "system volume information", "lost+found",
    "@eadir", "@recycle", "#recycle", "#snapshot",  # of network drives; the first holds thumbnails
    "desktop.ini", "ehthumbs.db", "thumbs.db", "icon\r",
}


def is_quiet(name: str) -> bool:
    """Whether a file's or folder's name says that it does not count; hidden ones do not."""
    return name.startswith(".") or name.lower() in _LEFT
