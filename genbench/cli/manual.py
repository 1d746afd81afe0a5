"""The pages of the manual, which come with the package."""

from genbench.errors import UnknownName
from genbench.lookup import ROOT, suggest

FOLDER = ROOT / "docs"


def topics() -> list[str]:
    """The names of the pages: `suites`, `reference/models`, …"""
    return sorted(
        path.relative_to(FOLDER).with_suffix("").as_posix() for path in FOLDER.rglob("*.md")
    )


def summary(topic: str) -> str:
    """What a page is about: its first sentence, in a line."""
    lead = page(topic).split("\n\n")[1]
    return " ".join(lead.split()).partition(". ")[0].rstrip(".")


def page(topic: str) -> str:
    """The Markdown of a page; the last part of its name is enough where that is unique.

    Raises:
        UnknownName: there is no such page.
    """
    known = topics()
    found = [name for name in known if name == topic] or [
        name for name in known if name.rpartition("/")[2] == topic
    ]
    if len(found) != 1:
        raise UnknownName(f"no page '{topic}'{suggest(topic, known)}")
    return (FOLDER / f"{found[0]}.md").read_text(encoding="utf-8")
