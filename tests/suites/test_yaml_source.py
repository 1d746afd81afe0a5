from __future__ import annotations

import json
import math
import time
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from genbench.errors import SuiteError
from genbench.suites.yaml_source import dotted, dump, parse, read


def value(text: str) -> object:
    return parse(f"x: {text}", "f.yaml").data["x"]


@pytest.mark.parametrize(("text", "expected"), [
    ("1e-4", 1e-4), ("1E5", 1e5), ("1.", 1.0), (".5", 0.5), ("-3", -3), ("+3", 3), ("0x1F", 31),
    ("0o17", 15), ("017", 17), ("10:30", "10:30"), ("no", "no"), ("yes", "yes"), ("on", "on"),
    ("true", True), ("False", False), ("~", None), ("", None), ("null", None), ("1_000", "1_000"),
    ("2024-01-01", "2024-01-01"), ("'1'", "1"), ('"true"', "true"), ("!!str 1", "1"),
    (".inf", math.inf), ("-.inf", -math.inf), ("=", "="), ("[1, [a]]", [1, ["a"]]),
])
def test_scalars_are_those_of_yaml_1_2(text: str, expected: object) -> None:
    found = value(text)
    assert found == expected
    assert type(found) is type(expected)


TEXTS = st.text("aenotz0159_.:+-xX~#'\"\\é—{}[],&*!|>%@`?=<\n\t \u2028\u0085😀")
SCALARS = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | TEXTS
    | st.from_regex(r"[-+]?[0-9_]*\.?[0-9]*(e[-+]?[0-9]+)?", fullmatch=True)
    | st.sampled_from(["1e-4", "0o17", "0x1F", ".inf", "no", "10:30", "2020-13-45", "~", "="])
)


@given(st.dictionaries(TEXTS.filter(str.strip), SCALARS | st.lists(SCALARS, max_size=3)))
def test_what_is_written_is_read_back(data: dict[str, object]) -> None:
    if data:
        assert repr(parse(dump(data), "f.yaml").data) == repr(data)


def test_not_a_number() -> None:
    assert math.isnan(value(".nan"))  # type: ignore[arg-type]


@pytest.mark.parametrize(("text", "line", "says"), [
    ("", None, "empty"), ("# only a comment\n", None, "empty"), ("null\n", None, "empty"),
    ("- a\n- b\n", 1, "got a list"), ("hello\n", 1, "mapping of keys"),
    ("a: 1\nb: 2\na: 3\n", 3, "'a' is given twice, first in line 1"),
    ("a:\n  1: x\n", 2, "must be text, not 1"), ("a: 1\n? [b]\n: 2\n", 2, "must be text"),
    ("a: 1\nnull: 2\n", 2, "must be text"),
    ("a: 1\n'': 2\n", 2, "empty"),
    ("a: !!python/object/apply:os.system ['true']\n", 1, "tags are not allowed"),
    ("a: 1\nb: !mine {c: 1}\n", 2, "tags are not allowed"),
    ("a: 1\nb: !!int 3\n", 2, "tags are not allowed"),
    ("a: 1\nb: &x [1, *x]\n", 2, "part of"), ("a: *nothing\n", 1, "not there"),
    ("a: 1\n---\nb: 2\n", 2, "second document"), ("a: [1, 2\nb: 3\n", 2, "not valid YAML"),
    ("a: 1\nb: \x07\n", 2, "control character"), ("a: 1\n\tb: 2\n", 2, "not tabs"),
    ("a: b\n c: d\n", 2, "needs quotes"), ("a: 1\n b: [\n", 2, "needs quotes"),
    ("a: 1\n\n b:\n", 3, "needs quotes"), ("a:\n  b: 1\n c: 2\n", 3, "indented as those"),
    ("a: " + "9" * 5000, 1, "too long"), ("a: " + "[" * 200, 1, "deeper"),
])
def test_what_is_refused(text: str, line: int | None, says: str) -> None:
    with pytest.raises(SuiteError) as caught:
        parse(text, "f.yaml")
    assert says in str(caught.value)
    assert str(caught.value).startswith("f.yaml")
    assert "\n" not in str(caught.value)
    assert caught.value.line == line


def test_aliases_are_values() -> None:
    source = parse("a: &x {b: 1}\nc: *x\n", "f.yaml")
    assert source.data == {"a": {"b": 1}, "c": {"b": 1}}
    assert source.line(("c",)) == 2
    assert source.line(("c", "b")) == 1


def test_an_alias_bomb_is_refused_at_once() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]" for i in range(1, 9)]
    began = time.perf_counter()
    with pytest.raises(SuiteError, match="unfolds"):
        parse("\n".join(lines), "f.yaml")
    assert time.perf_counter() - began < 2


def test_lines_of_every_path() -> None:
    source = parse("a:\n  b: 1\n  c:\n    - x\n    - d: 2\n", "f.yaml")
    assert [source.line(p) for p in [("a",), ("a", "b"), ("a", "c", 1), ("a", "c", 1, "d")]] == [
        1, 2, 5, 5
    ]
    assert source.line(("a", "nothing", 3)) == 1
    assert dotted(("a", "c", 1, "d")) == "a.c[1].d"


def test_files(tmp_path: Path) -> None:
    path = tmp_path / "x.yaml"
    with pytest.raises(SuiteError, match="No such file"):
        read(path)
    with pytest.raises(SuiteError, match="directory"):
        read(tmp_path)
    path.write_bytes(b"a: 1\nb: \xff\n")
    with pytest.raises(SuiteError, match=r"x\.yaml:2: is not UTF-8"):
        read(path)
    path.write_bytes(b"#" * (2 << 20))
    with pytest.raises(SuiteError, match="1 MiB"):
        read(path)
    path.write_bytes("\ufeffa: é\n".encode())
    assert read(path).data == {"a": "é"}


plain = st.recursive(
    st.none() | st.booleans() | st.integers(-10**12, 10**12)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(
        st.characters(max_codepoint=0x2FFF, exclude_categories=["Cc", "Cs", "Zl", "Zp"]),
        max_size=8,
    ),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(st.text("abcXYZ -_:#'", min_size=1, max_size=5), inner, max_size=3),
    max_leaves=10,
)


@settings(max_examples=100)
@given(st.dictionaries(st.sampled_from(["a", "b", "c d"]), plain, min_size=1))
def test_json_is_read_as_json_reads_it(data: dict[str, object]) -> None:
    """JSON is YAML 1.2: an independent writer, whose quoting leaves no doubt."""
    text = json.dumps(data)
    if any(not key.strip() for key in _keys(data)):
        return
    assert parse(text, "f.yaml").data == json.loads(text)


def _keys(data: object) -> list[str]:
    if isinstance(data, dict):
        return [*data, *(k for v in data.values() for k in _keys(v))]
    return [k for v in data for k in _keys(v)] if isinstance(data, list) else []


@settings(max_examples=200)
@given(st.text(st.sampled_from("ab:-[]{}&*!|>'\"#%@`\n\t ,?0e.~"), max_size=60))
def test_any_text_is_data_or_an_error(text: str) -> None:
    message = ""
    try:
        parse(text, "f.yaml")
    except SuiteError as error:
        message = str(error)
    assert "\n" not in message


@settings(max_examples=60)
@given(plain)
def test_what_pyyaml_writes_is_read_back(data: object) -> None:
    text = yaml.safe_dump({"x": data}, allow_unicode=False)
    if all(key.strip() for key in _keys(data)) and not _has_1_1_words(data):
        assert parse(text, "f.yaml").data["x"] == data


def _has_1_1_words(data: object) -> bool:
    """Text that PyYAML leaves bare although YAML 1.2 reads a number in it, such as 1e5."""
    if isinstance(data, str):
        return any(c.isdigit() for c in data)
    if isinstance(data, dict):
        return any(_has_1_1_words(k) or _has_1_1_words(v) for k, v in data.items())
    return isinstance(data, list) and any(_has_1_1_words(v) for v in data)
