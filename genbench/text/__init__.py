"""Text that people read: Markdown, and numbers as they stand in it."""
