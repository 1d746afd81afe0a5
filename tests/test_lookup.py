from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import ValidationError

from genbench._contracts import taken_names
from genbench.data.space import Space
from genbench.errors import GenbenchError, PluginError, UnknownName
from genbench.lookup import KINDS, available, describe, load, of_class, options_model, suggest

PLUGIN = '''
"""A module."""
from genbench.evaluation.base import Metric
from genbench.fields import ClassVar, Count, Literal


class Other(Metric):
    """Not this one."""


class Mine(Metric):
    """What it is.

    More.
    """

    values: ClassVar[dict[str, dict[str, str]]] = {"mine": {"better": "lower"}}
    needs = ("density",)
    table: ClassVar[object] = object()
    k: Count = 3
    """How many
    there are."""
    measure_: Literal["a", "b"] = "a"
    """A name that a method has."""
    _hidden: int = 3

    def measure(self, evidence, sample_set=0):
        return {"mine": self.k}
'''


@pytest.fixture
def plugin(tmp_path: Path) -> Path:
    path = tmp_path / "mine.py"
    path.write_text(PLUGIN)
    return path


@pytest.mark.parametrize("kind", KINDS)
def test_everything_available_is_described(kind: str) -> None:
    assert available(kind)
    for name in available(kind):
        component = describe(kind, name)
        assert component.summary
        assert component is describe(kind, name)
        options_model(component)


def test_source_and_class_agree() -> None:
    """What is read with `ast` is what Python sees."""
    for kind, name in [
        ("dataset", "ring"), ("objective", "adversarial"), ("objective", "infogan_semi"),
        ("objective", "pgan"), ("model", "nice"),
    ]:
        component = describe(kind, name)
        cls = load(component)
        for option in component.options:
            assert getattr(cls, option.attribute) == option.default
        for constant, value in component.constants.items():
            if constant != "refuses":
                assert getattr(cls, constant) == value
        refusals = [pair for base in cls.__mro__ for pair in vars(base).get("refuses", ())]
        assert sorted(component.constants.get("refuses", ()), key=str) == sorted(refusals, key=str)
        assert component.methods <= set(dir(cls))
        assert of_class(kind, cls).options == component.options


def test_a_plug_in(plugin: Path) -> None:
    component = describe("metric", "mine.py:Mine", plugin.parent)
    assert component.summary == "What it is."
    assert component.constants == {"values": {"mine": {"better": "lower"}}, "needs": ("density",)}
    assert [(o.name, o.default, o.doc) for o in component.options] == [
        ("k", 3, "How many there are."), ("measure", "a", "A name that a method has.")
    ]
    assert "measure" in component.methods
    made = load(component)(k=5, measure="b")
    assert (made.k, made.measure_, made.measure(None)) == (5, "b", {"mine": 5})
    assert load(component) is load(describe("metric", "mine.py:Mine", plugin.parent))
    assert not list(plugin.parent.rglob("*.pyc"))
    with pytest.raises(ValidationError):
        options_model(component)(j=3)


def test_what_is_inherited_counts(tmp_path: Path) -> None:
    """From a class of the same file, or of the package, whose own options come first."""
    (tmp_path / "mine.py").write_text(
        '"""A module."""\n'
        "from genbench.fields import Count\n"
        "from genbench.models.nice import NICE\n\n\n"
        "class Elder(NICE):\n"
        '    """An elder."""\n\n'
        "    couplings: Count = 7\n"
        '    """More of them."""\n\n\n'
        "class Mine(Elder):\n"
        '    """What it is."""\n\n'
        "    extra: int = 3\n"
        '    """One more."""\n\n'
        "    def encode(self, x):\n"
        "        return x\n"
    )
    component = describe("model", "mine.py:Mine", tmp_path)
    nice = describe("model", "nice")
    assert [o.name for o in component.options] == [*(o.name for o in nice.options), "extra"]
    assert {o.name: o.default for o in component.options}["couplings"] == 7
    assert component.methods >= nice.methods | {"encode"}
    assert {"log_prob", "generate"} <= nice.methods
    made = load(component)(Space("points", (2,)), couplings=1)
    assert (made.couplings, made.extra) == (1, 3)
    (tmp_path / "lost.py").write_text("class Lost(Unknown):\n    pass\n")
    with pytest.raises(PluginError, match="holds no class Lost"):
        describe("model", "lost.py:Lost", tmp_path)


def test_a_plug_in_may_defer_its_annotations_and_list_its_names(plugin: Path) -> None:
    """The package does neither where it need not; what users wrote in its former manner works."""
    plain = describe("metric", "mine.py:Mine", plugin.parent)
    head = 'from __future__ import annotations\n\n__all__ = ["Mine"]\n'
    (plugin.parent / "former.py").write_text(head + PLUGIN)
    component = describe("metric", "former.py:Mine", plugin.parent)
    assert (component.options, component.constants) == (plain.options, plain.constants)
    assert load(component)(k=5).measure(None) == {"mine": 5}
    with pytest.raises(GenbenchError, match=r"Mine\.k"):
        load(component)(k=0)


def test_a_plug_in_that_changes_is_another(plugin: Path) -> None:
    before = describe("metric", "mine.py:Mine", plugin.parent)
    assert describe("metric", "mine.py:Mine", plugin.parent) is before
    plugin.write_text(PLUGIN.replace("k: Count = 3", "k: Count = 4"))
    after = describe("metric", "mine.py:Mine", plugin.parent)
    assert after.source_digest != before.source_digest
    assert load(after)().k == 4


def test_a_module_beside_the_suite(plugin: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", list(sys.path))
    plugin.rename(plugin.parent / "beside_the_suite.py")
    component = describe("metric", "beside_the_suite:Mine", plugin.parent)
    assert component.source_digest
    assert load(component)().k == 3


@pytest.mark.parametrize(("name", "says"), [
    ("nowhere.py:Mine", "there is no file nowhere.py"), ("no_such_module:Mine", "no module"),
    ("no.such.module:Mine", "no module"), ("mine.py:Mein", "holds no class Mein"),
    ("mine.py:", "holds no class"), (":Mine", ""), ("..:Mine", ""), (".py:Mine", ""),
    ("\x00.py:Mine", ""), ("x" * 5000 + ".py:Mine", ""), ("~nobody_at_all/x.py:Mine", ""),
    ("raises_on_import.missing:Mine", "no module"),
    ("os:system", "there is no module os with a source file"),
])
def test_plug_ins_that_are_not_there(
    plugin: Path, monkeypatch: pytest.MonkeyPatch, name: str, says: str
) -> None:
    monkeypatch.setattr(sys, "path", list(sys.path))
    package = plugin.parent / "raises_on_import"
    package.mkdir()
    (package / "__init__.py").write_text("1 / 0")
    with pytest.raises(PluginError, match=says or "'"):
        describe("metric", name, plugin.parent)


def test_a_plug_in_is_described_and_nothing_imported(
    plugin: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither its package, nor the code that stands where a type should."""
    monkeypatch.setattr(sys, "path", list(sys.path))
    package = plugin.parent / "raises_when_imported"
    package.mkdir()
    (package / "__init__.py").write_text("1 / 0")
    plugin.rename(package / "inner.py")
    assert describe("metric", "raises_when_imported.inner:Mine", plugin.parent).options

    mark = plugin.parent / "ran"
    ran = f"open({str(mark)!r}, 'w')"
    for annotation in (
        f"[{ran} for _ in '1'] and int", f"list[{ran}]", f"Annotated[int, {ran}]",
        f"Annotated[int, Field(ge={ran})]", f"Literal[{ran}]", repr(ran), f"list[{ran!r}]",
        f"int.__class__.__call__({ran})", f"(lambda: {ran})()", f"int | {ran}",
    ):
        plugin.write_text(PLUGIN.replace("k: Count = 3", f"k: {annotation} = 3"))
        with pytest.raises(PluginError, match="is not a type that"):
            options_model(describe("metric", "mine.py:Mine", plugin.parent))
        assert not mark.exists()


@pytest.mark.parametrize(("annotation", "good", "bad"), [
    ("int | None", [None, 3], ["x"]), ("'int'", [3], ["x"]), ("list['int']", [[3]], [["x"]]),
    ("Literal[-1, 'a']", [-1, "a"], [1]), ("dict[str, int | None]", [{"a": None}], [{"a": "x"}]),
    ("Annotated[list[float], Field(min_length=2)]", [[1.0, 2.0]], [[1.0]]),
    ("tuple[int, ...]", [(1, 2, 3)], [("x",)]), ("Widths | None", [None, [2]], [[]]),
    ("Count", [10**9], [0, 10**9 + 1, 10**23]), ("Any", [object], []),
    ("Annotated[int, Field(ge=-2), 'a remark']", [-2], [-3]),
])
def test_types_of_options(
    plugin: Path, annotation: str, good: list[object], bad: list[object]
) -> None:
    plugin.write_text(PLUGIN.replace("k: Count = 3", f"k: {annotation}"))
    model = options_model(describe("metric", "mine.py:Mine", plugin.parent))
    for value in good:
        assert model(k=value).k == value
    for value in bad:
        with pytest.raises(ValidationError):
            model(k=value)


@pytest.mark.parametrize(("kind", "option"), [
    ("dataset", "kind"), ("dataset", "load"), ("dataset", "use"), ("dataset", "budget"),
    ("model", "train"), ("model", "space"), ("model", "name"), ("model", "parameters"),
    ("objective", "weight"), ("objective", "loss"), ("metric", "values"), ("metric", "measure"),
])
def test_names_that_no_option_can_have(tmp_path: Path, kind: str, option: str) -> None:
    rest = "    build = generate = loss = load = measure = None\n"
    head = f"class Own({KINDS[kind][1]}):\n"
    (tmp_path / "own.py").write_text(f"{head}    {option}: int = 1\n    'It.'\n{rest}")
    with pytest.raises(PluginError, match=f"'{option}'.*no option can be called so") as refused:
        options_model(describe(kind, "own.py:Own", tmp_path))
    remedy = re.search(r"call the field (?:otherwise, )?'(\w+)'", str(refused.value))
    assert remedy
    other = f"{head}    {remedy[1]}: int = 1\n    'It.'\n{rest}"
    (tmp_path / "own.py").write_text(other)
    assert options_model(describe(kind, "own.py:Own", tmp_path))().model_dump() == {
        remedy[1].rstrip("_"): 1
    }


@pytest.mark.parametrize(("kind", "body", "missing"), [
    ("figure", "    def caption(self, shown): ...", ["draw"]),
    ("figure", "    def caption(self, shown): ...\n    async def draw(self, shown): ...", []),
    ("figure", "    draw = caption = None", []),
    ("model", "    pass", ["build", "generate"]), ("objective", "    pass", ["loss"]),
    ("metric", "    pass", ["measure"]), ("dataset", "    pass", ["load"]),
    ("executor", "    pass", ["where", "prepare", "run", "stop", "close"]),
])
def test_a_class_of_ones_own_defines_what_its_kind_asks(
    tmp_path: Path, kind: str, body: str, missing: list[str]
) -> None:
    base = KINDS[kind][1]
    head = f"from genbench import {base}\nclass Own({base}):\n"
    (tmp_path / "own.py").write_text(f"{head}{body}\n")
    if missing:
        line = f"Own does not define {', '.join(missing)}; `genbench docs extending/{kind}`"
        with pytest.raises(PluginError, match=line):
            describe(kind, "own.py:Own", tmp_path)
    else:
        describe(kind, "own.py:Own", tmp_path)


def test_what_a_class_of_ones_own_inherits_counts(tmp_path: Path) -> None:
    (tmp_path / "own.py").write_text(
        "from genbench import ClusterExecutor, FigureKind\nfrom elsewhere import Drawn\n"
        "class Near(FigureKind):\n    def draw(self, shown): ...\n"
        "class Whole(Near):\n    def caption(self, shown): ...\n"
        "class Unseen(Drawn, FigureKind): ...\n"
        "class Farm(ClusterExecutor):\n    def where(self, device): ...\n"
    )
    describe("figure", "own.py:Whole", tmp_path)
    describe("figure", "own.py:Unseen", tmp_path)  # what Drawn has is not known
    with pytest.raises(PluginError, match="Near does not define caption;"):
        describe("figure", "own.py:Near", tmp_path)
    with pytest.raises(PluginError, match="Farm does not define close, submit, poll, cancel"):
        describe("executor", "own.py:Farm", tmp_path)


def test_built_in_options_have_names_of_their_own() -> None:
    for kind in KINDS:
        for name in available(kind):
            fields = {option.attribute for option in describe(kind, name).options}
            assert not fields & taken_names(*KINDS[kind]), (kind, name)


@pytest.mark.parametrize(("old", "new", "says"), [
    ("k: Count = 3", "k: Count = len('abc')", r"mine\.py:\d+: the default of option 'k' must be"),
    ("k: Count = 3", "k: numpy.ndarray = 3", "'numpy.ndarray' is not a type"),
    ('("density",)', '"density"', "'needs' must be a tuple"),
    ('needs = ("density",)', "needs = f()", r"'needs' must be a literal, not 'f\(\)'"),
    ('{"mine": {"better": "lower"}}', "[]", "'values' must be a dict"),
])
def test_plug_ins_that_say_what_they_cannot(
    plugin: Path, old: str, new: str, says: str
) -> None:
    assert PLUGIN.count(old) == 1
    plugin.write_text(PLUGIN.replace(old, new))
    with pytest.raises(PluginError, match=says):
        options_model(describe("metric", "mine.py:Mine", plugin.parent))


def test_a_plug_in_that_fails_to_import_shows_its_error(plugin: Path) -> None:
    plugin.write_text(PLUGIN + "\nimport nothing_of_that_name\n")
    component = describe("metric", "mine.py:Mine", plugin.parent)
    with pytest.raises(PluginError, match=r"fails to import: ModuleNotFoundError: .*nothing_of"):
        load(component)


def test_unknown_names() -> None:
    with pytest.raises(UnknownName, match="no dataset 'rign'; did you mean 'ring'"):
        describe("dataset", "rign")
    with pytest.raises(UnknownName, match=r"there is .*py:MyDataset .*docs extending/dataset"):
        describe("dataset", "points.csv")
    assert suggest("zzz", ["b", "a"]) == "; there is a, b"
    assert suggest("zzz", []) == ""


def test_nothing_is_imported() -> None:
    code = (
        "import sys\nfrom genbench.lookup import *\n"
        "for kind in KINDS:\n for name in available(kind): options_model(describe(kind, name))\n"
        "sys.exit(any(m in sys.modules for m in ('torch', 'numpy', 'genbench.models')))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
