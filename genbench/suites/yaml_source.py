"""YAML as plain data with the line of every path: safe, small, and the 1.2 core schema.

Only maps, lists, strings, numbers, booleans and null come out; `1e-4` is a number, `no` and
`10:30` are strings. Built on the parser's events, so that nothing is constructed that a tag asks
for, and nesting and aliases are bounded before they cost anything.
"""

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from genbench.errors import SuiteError

Path_ = tuple[str | int, ...]

MAX_BYTES = 1 << 20
MAX_DEPTH = 30
MAX_NODES = 50_000
"""Nodes after aliases are expanded."""

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_DUMPER: Any = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
_INT = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_WORDS: dict[str, Any] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **dict.fromkeys((".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF"), float("inf")),
    **dict.fromkeys(("-.inf", "-.Inf", "-.INF"), float("-inf")),
    **dict.fromkeys((".nan", ".NaN", ".NAN"), float("nan")),
}
_CONTROL = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True)
class Source:
    """A YAML file as data, with the line of every path in it."""

    file: str
    data: Any
    lines: dict[Path_, int]

    def line(self, path: Path_) -> int:
        """The line of a path, or of its nearest ancestor that the file has."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 1)


@dataclass
class _Node:
    line: int
    kind: str
    value: Any = None
    items: list[Any] = field(default_factory=list)


def dotted(path: Path_) -> str:
    """A path as text: `report.tables[0].columns`."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text


def read(path: Path) -> Source:
    """Read and parse a file.

    Raises:
        SuiteError: it is not there, too large, not UTF-8, or not what `parse` takes.
    """
    try:
        with path.open("rb") as stream:
            raw = stream.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise SuiteError(f"cannot be read: {reason}", file=path) from None
    if len(raw) > MAX_BYTES:
        raise SuiteError("is larger than 1 MiB, which no suite needs", file=path)
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise SuiteError("is not UTF-8 text", file=path, line=line) from None
    return parse(text, str(path))


def parse(text: str, file: str) -> Source:
    """Parse the text of a suite or of a zoo file: one mapping.

    Raises:
        SuiteError: not YAML, empty, not a mapping, a duplicate or non-string key, a tag, control
            characters, or nesting and aliases out of all proportion.
    """
    odd = _CONTROL.search(text)
    if odd:
        line = text[: odd.start()].count("\n") + 1
        raise SuiteError(f"control character {odd.group()!r} in the file", file=file, line=line)
    try:
        root = _Builder(file).build(text)
    except yaml.YAMLError as error:
        raise _syntax_error(error, file) from None
    if root is None or (root.kind == "scalar" and root.value is None):
        raise SuiteError("the file is empty; a suite is a mapping of keys", file=file)
    if root.kind != "map":
        kind = "a list" if root.kind == "list" else f"{root.value!r}"[:60]
        raise SuiteError(f"expected a mapping of keys, got {kind}", file=file, line=root.line)
    lines: dict[Path_, int] = {(): root.line}
    data = _Expander(file, lines).expand(root, (), 0)
    return Source(file, data, lines)


def dump(data: Any) -> str:
    """Plain data as YAML that `parse` reads back the same; keys keep their order."""
    text: str = yaml.dump(data, Dumper=_Quoting, sort_keys=False, allow_unicode=True)
    return text


class _Quoting(_DUMPER):
    """Quotes the strings that are numbers here and not in YAML 1.1, which PyYAML writes."""


_Quoting.add_implicit_resolver("tag:yaml.org,2002:int", re.compile(f"({_INT.pattern})$"), None)
_Quoting.add_implicit_resolver("tag:yaml.org,2002:float", re.compile(f"({_FLOAT.pattern})$"), None)


class _Builder:
    """Events → nodes, with a stack of its own: nesting costs no recursion."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.anchors: dict[str, _Node] = {}
        self.open: list[tuple[_Node, str | None]] = []
        self.root: _Node | None = None

    def build(self, text: str) -> _Node | None:
        documents = 0
        events: Any = yaml.parse(text, Loader=_LOADER)
        for event in events:
            line = event.start_mark.line + 1
            if isinstance(event, yaml.DocumentStartEvent):
                documents += 1
                if documents > 1:
                    raise self.error("a second document ('---'); a file holds one", line)
            elif isinstance(event, yaml.AliasEvent):
                self.add(self.alias(str(event.anchor), line))
            elif isinstance(event, yaml.ScalarEvent):
                node = _Node(line, "scalar", self.scalar(event, line))
                self.add(node)
                if event.anchor:
                    self.anchors[event.anchor] = node
            elif isinstance(event, yaml.MappingStartEvent | yaml.SequenceStartEvent):
                self.start(event, line)
            elif isinstance(event, yaml.MappingEndEvent | yaml.SequenceEndEvent):
                node, anchor = self.open.pop()
                if anchor:
                    self.anchors[anchor] = node
        return self.root

    def start(self, event: Any, line: int) -> None:
        if event.tag is not None:
            raise self.error(f"tag {event.tag!r}: tags are not allowed in suites", line)
        if len(self.open) >= MAX_DEPTH:
            raise self.error(f"nested deeper than {MAX_DEPTH} levels", line)
        node = _Node(line, "map" if isinstance(event, yaml.MappingStartEvent) else "list")
        self.add(node)
        self.open.append((node, event.anchor))

    def add(self, node: _Node) -> None:
        if not self.open:
            self.root = node
        else:
            self.open[-1][0].items.append(node)

    def alias(self, name: str, line: int) -> _Node:
        if any(anchor == name for _, anchor in self.open):
            raise self.error(f"'*{name}' refers to what it is part of", line)
        if name not in self.anchors:
            raise self.error(f"'*{name}' refers to an anchor that is not there", line)
        return self.anchors[name]

    def scalar(self, event: Any, line: int) -> Any:
        if event.tag not in (None, "!", "tag:yaml.org,2002:str"):
            raise self.error(f"tag {event.tag!r}: tags are not allowed in suites", line)
        text = event.value
        odd = _CONTROL.search(text)  # as an escape in quotes: "\\e[2J"
        if odd:
            raise self.error(f"control character {odd[0]!r} in a text", line)
        if event.tag is not None or not event.implicit[0]:
            return text
        if text in _WORDS:
            return _WORDS[text]
        try:
            if _INT.fullmatch(text):
                return int(text, {"0o": 8, "0x": 16}.get(text[:2], 10))
        except ValueError:
            raise self.error(f"a number of {len(text)} digits is too long", line) from None
        return float(text) if _FLOAT.fullmatch(text) else text

    def error(self, message: str, line: int) -> SuiteError:
        return SuiteError(message, file=self.file, line=line)


class _Expander:
    """Nodes → data, counting what aliases multiply."""

    def __init__(self, file: str, lines: dict[Path_, int]) -> None:
        self.file, self.lines = file, lines
        self.count = 0

    def expand(self, node: _Node, path: Path_, depth: int) -> Any:
        self.count += 1
        if self.count > MAX_NODES or depth > MAX_DEPTH:
            raise SuiteError(
                f"the file unfolds to more than {MAX_NODES} values or {MAX_DEPTH} levels",
                file=self.file, line=node.line,
            )
        if node.kind == "scalar":
            return node.value
        if node.kind == "list":
            result = []
            for index, item in enumerate(node.items):
                self.lines[(*path, index)] = item.line
                result.append(self.expand(item, (*path, index), depth + 1))
            return result
        mapping: dict[str, Any] = {}
        for key_node, value in zip(node.items[::2], node.items[1::2], strict=True):
            key = self.key(key_node, path, mapping)
            self.lines[(*path, key)] = key_node.line
            mapping[key] = self.expand(value, (*path, key), depth + 1)
        return mapping

    def key(self, node: _Node, path: Path_, mapping: dict[str, Any]) -> str:
        where: dict[str, Any] = {"file": self.file, "line": node.line, "path": dotted(path)}
        if node.kind != "scalar" or not isinstance(node.value, str):
            shown = repr(node.value) if node.kind == "scalar" else f"a {node.kind}"
            raise SuiteError(f"a key must be text, not {shown}; put quotes around it", **where)
        if not node.value.strip():
            raise SuiteError("a key is empty", **where)
        if node.value in mapping:
            first = self.lines[(*path, node.value)]
            raise SuiteError(
                f"key '{node.value}' is given twice, first in line {first}", **where
            )
        return node.value


_ADVICE = {
    "mapping values are not allowed": "text that holds ': ' needs quotes, and a nested key a "
    "line of its own",
    "cannot start any token": "indent by spaces, not tabs, and put quotes around text that starts "
    "with @, ` or %",
    "a tab character": "indent by spaces, not tabs",
    "did not find expected key": "is this line, or one above it, indented as those beside it are?",
}
"""Words of the parser's complaint, and what is mostly meant."""


def _syntax_error(error: yaml.YAMLError, file: str) -> SuiteError:
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    problem = getattr(error, "problem", None) or str(error).splitlines()[0]
    context = getattr(error, "context", None)
    text = " ".join(f"not valid YAML: {problem}{f' ({context})' if context else ''}".split())
    text += next((f"; {advice}" for words, advice in _ADVICE.items() if words in text), "")
    return SuiteError(text, file=file, line=mark.line + 1 if mark else None)
