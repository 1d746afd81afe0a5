"""No key of a suite is silent: each changes runs or report, or is refused with its line.

A key is tried in a small suite with made-up results. What it changes is looked for in the
specifications of the runs and what they ask of a cluster, and then in the files of the report.
"""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Callable, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import yaml
from pydantic import BaseModel

from genbench.errors import SuiteError
from genbench.reporting.report import build
from genbench.store.runs import Store
from genbench.suites import schema
from genbench.suites.expand import load_plan
from genbench.suites.plan import Plan

SUITE: Mapping[str, Any] = {
    "datasets": {"ring": {"test_size": 50}, "digits": {}}, "seeds": 2,
    "budget": {"updates": 9, "batch": 16},
    "methods": {"gan": {}, "nice": {}, "mixflow": {"datasets": ["ring"]}},
    "evaluate": ["fakes.py:Nll", "fakes.py:Fid", "fakes.py:Covered"],
    "report": {"figures": []},
}
LINE = "A line of its own"
FITTED = {"methods.fit": {"use": "gaussian-mixture"}}
TWO = {"methods.nice.stages": [{"train": "likelihood"}, {"train": "likelihood"}]}
ELSEWHERE = {"external.theirs": {"samples": "made.npy", "dataset": "digits"}}
TABLE, CLAIM, TARGET, FIGURE = (f"report.{what}.0" for what in ("tables", "claims", "targets",
                                                                "figures"))
TABLES = {"report.tables": [{"dataset": "ring", "columns": ["nll"]}]}
CLAIMS = {"report.claims": [{"id": "K", "text": "So.", "expect": "nll[nice, ring] < 9"}]}
TARGETS = {"report.targets": [{"cell": "nll[nice, ring]", "at_most": 2.599}]}


def figure(kind: str, **more: Any) -> dict[str, Any]:
    return {"report.figures": [{"kind": kind, "title": "F", "dataset": "ring", **more}]}


SWEEP = {
    "methods.nice.model": {"couplings": {"grid": [2, 4]}},
    **figure("sweep", methods=["nice"], columns=["nll"]),
}
ACTS: list[tuple[str, dict[str, Any], str, Any]] = [
    ("Suite.title", {}, "title", LINE), ("Suite.description", {}, "description", LINE),
    ("Suite.datasets", {}, "datasets.ring.modes", 5), ("Suite.seeds", {}, "seeds", [1, 2]),
    ("Suite.budget", {}, "budget.updates", 8), ("Suite.methods", {}, "methods.wgan-gp", {}),
    ("Suite.external", {}, "external.theirs", ELSEWHERE["external.theirs"]),
    ("Suite.precision", {}, "precision", "bf16"), ("Suite.compile", {}, "compile", True),
    ("Suite.evaluate", {}, "evaluate.2", {"fakes.py:Covered": {"k": 4}}),
    ("Suite.protocol", {}, "protocol.sets", 2), ("Suite.real", {}, "real", False),
    ("Suite.time_limit", {}, "time_limit", "0:30"), ("Suite.cluster", {}, "cluster.cpus", 2),
    ("Suite.report", {}, "report.targets", TARGETS["report.targets"]),
    ("Budget.updates", {}, "methods.gan.budget.updates", 8),
    ("Budget.updates", {}, "datasets.ring.budget.updates", 8),
    ("Budget.batch", {}, "budget.batch", 8), ("Budget.batch", {}, "methods.gan.budget.batch", 8),
    ("Protocol.samples", {}, "protocol.samples", 50), ("Protocol.sets", {}, "protocol.sets", 1),
    ("Entry.use", {}, "methods.gan.use", "wgan-gp"),
    ("Entry.title", {}, "methods.gan.title", LINE),
    ("Entry.family", {}, "methods.gan.family", LINE),
    ("Entry.summary", {}, "methods.gan.summary", LINE),
    ("Entry.model", {}, "methods.nice.model", {"couplings": 2}),
    ("Entry.train", {}, "methods.gan.train", {"adversarial": {"loss": "hinge"}}),
    ("Entry.stages", {}, "methods.nice.stages", TWO["methods.nice.stages"]),
    ("Entry.optimiser", {}, "methods.nice.optimiser", {"lr": 0.1}),
    ("Entry.optimisers", {}, "methods.gan.optimisers", {"critic": {"lr": 0.1}}),
    ("Entry.ema", {}, "methods.gan.ema", 0.5), ("Entry.scale", {}, "methods.mixflow.scale", "raw"),
    ("Entry.dequantise", {}, "methods.gan.dequantise", True),
    ("Entry.precision", {}, "methods.gan.precision", "bf16"),
    ("Entry.compile", {}, "methods.gan.compile", True),
    ("Entry.budget", {}, "methods.gan.budget", {"updates": 8}),
    ("Entry.datasets", {}, "methods.gan.datasets", ["ring"]),
    ("StageEntry.train", TWO, "methods.nice.stages.0.train", {"likelihood": 2}),
    ("StageEntry.updates", TWO, "methods.nice.stages.0.updates", 2),
    ("StageEntry.share", TWO, "methods.nice.stages.0.share", 0.3),
    ("External.samples", ELSEWHERE, "external.theirs.samples", ["made.npy", "more.npy"]),
    ("External.dataset", ELSEWHERE, "external.theirs.dataset", "ring"),
    ("External.range", ELSEWHERE, "external.theirs.range", [-1.0, 1.0]),
    *((f"External.{key}", ELSEWHERE, f"external.theirs.{key}", LINE)
      for key in ("title", "family", "summary")),
    *((f"Cluster.{key}", {}, f"cluster.{key}", value) for key, value in {
        "cpus": 2, "gpus": 1, "memory": 3.0, "partition": "p", "time": "1:00", "account": "a",
        "ray_address": "here:1",
    }.items()),
    ("Report.tables", {}, "report.tables", TABLES["report.tables"]),
    ("Report.claims", {}, "report.claims", CLAIMS["report.claims"]),
    ("Report.targets", {}, "report.targets", TARGETS["report.targets"]),
    ("Table.title", TABLES, f"{TABLE}.title", LINE),
    ("Table.dataset", TABLES, f"{TABLE}.dataset", "digits"),
    ("Table.methods", TABLES, f"{TABLE}.methods", ["nice", "gan"]),
    ("Table.columns", TABLES, f"{TABLE}.columns", ["modes_covered"]),
    ("Table.published", TABLES, f"{TABLE}.published", {"nice": {"nll": 2.5}}),
    ("Table.variants", TABLES, f"{TABLE}.variants", {"here": ""}),
    ("Table.against", TABLES, f"{TABLE}.against", "nice"),
    ("Published.value", {"report.tables": [
        {"dataset": "ring", "columns": ["nll"], "published": {"nice": {"nll": {"value": 2}}}}]},
     f"{TABLE}.published.nice.nll.value", 3.0),
    ("Published.source", {"report.tables": [
        {"dataset": "ring", "columns": ["nll"], "published": {"nice": {"nll": {"value": 2}}}}]},
     f"{TABLE}.published.nice.nll.source", LINE),
    ("Claim.id", CLAIMS, f"{CLAIM}.id", "L"), ("Claim.text", CLAIMS, f"{CLAIM}.text", LINE),
    ("Claim.expect", CLAIMS, f"{CLAIM}.expect", "nll[nice, ring] < 1"),
    ("Claim.margin", CLAIMS, f"{CLAIM}.margin", 0.1),
    ("Margin.spread", CLAIMS, f"{CLAIM}.margin", {"spread": 0.5}),
    ("Margin.factor", CLAIMS, f"{CLAIM}.margin", {"factor": 1.5}),
    ("Claim.identity", {"report.claims": [{"id": "K", "text": "So.",
                                           "identity": "nll[nice, ring] = 1 within 2"}]},
     f"{CLAIM}.identity", "nll[nice, ring] = log(3) within 2"),
    ("Claim.unjudged", {"report.claims": [{"id": "K", "text": "So.", "unjudged": "why"}]},
     f"{CLAIM}.unjudged", LINE),
    ("Target.cell", TARGETS, f"{TARGET}.cell", "nll[mixflow, ring]"),
    ("Target.at_most", TARGETS, f"{TARGET}.at_most", 1.0),
    ("Target.at_least", {"report.targets": [{"cell": "nll[nice, ring]", "at_least": 1.0}]},
     f"{TARGET}.at_least", 3.0),
    ("Target.over", TARGETS, f"{TARGET}.over", "worst"),
    ("Target.note", TARGETS, f"{TARGET}.note", LINE),
]
DRAWN: list[tuple[str, dict[str, Any], str, Any]] = [
    ("Report.figures", {}, "report.figures", ["curves"]),
    ("FigureEntry.kind", figure("density"), f"{FIGURE}.kind", "samples"),
    ("FigureEntry.title", figure("samples"), f"{FIGURE}.title", LINE),
    ("FigureEntry.caption", figure("samples"), f"{FIGURE}.caption", LINE),
    ("FigureEntry.dataset", figure("samples"), f"{FIGURE}.dataset", "digits"),
    ("FigureEntry.methods", figure("samples"), f"{FIGURE}.methods", ["nice"]),
    ("FigureEntry.terms", figure("curves"), f"{FIGURE}.terms", ["model: nll"]),
    ("FigureEntry.columns", SWEEP, f"{FIGURE}.columns", ["nll", "modes_covered"]),
    ("FigureEntry.level", SWEEP, f"{FIGURE}.level", "modes_covered"),
    ("FigureEntry.axis", SWEEP, f"{FIGURE}.axis", LINE),
    ("FigureEntry.by_component", {
        "methods.mixflow.datasets": ["ring", "digits"],
        **figure("samples", dataset="digits", methods=["mixflow"]),
    }, f"{FIGURE}.by_component", True),
]
REFUSED: list[tuple[str, dict[str, Any], str, Any, str]] = [
    ("Suite.looks", {}, "looks", [3, 5], "leave `seeds` out"),
    ("Suite.tolerances", {}, "tolerances", {"nll_gap": {"relative": 0.1}}, "'nll_gap' is not"),
    *((f"Entry.{key}", {}, f"methods.gan.{key}", value, "of the zoo's methods alone")
      for key, value in {"formula": LINE, "note": LINE, "published": True}.items()),
    ("Entry.dequantise", {}, "methods.mixflow.dequantise", True, "dequantise is for images"),
    *((f"Entry.{key}", FITTED, f"methods.fit.{key}", value, "could not matter")
      for key, value in {
          "optimiser": {"lr": 0.1}, "ema": 0.5, "precision": "bf16", "compile": True,
          "budget.updates": 5, "budget.batch": 5}.items()),
    ("StageEntry.updates", FITTED, "methods.fit.stages", [{"train": "em", "updates": 5}],
     "neither `updates` nor `share`"),
    ("Budget.updates", {"methods.nice.stages": [{"train": "likelihood", "updates": 5}]},
     "methods.nice.budget.updates", 6, "each of the stages says its `updates`"),
    ("External.range", {"external.theirs": {"samples": "made.npy", "dataset": "ring"}},
     "external.theirs.range", [-1.0, 1.0], "points have no black and white"),
    *((f"Suite.{key}", {**ELSEWHERE, "methods": None, "seeds": None, "budget": None}, key, value,
       "no method is trained here")
      for key, value in {"seeds": 3, "budget": {"updates": 5}, "precision": "bf16",
                         "compile": True}.items()),
    ("Table.variants", TABLES, f"{TABLE}.variants", {"here": "", "there": "-tuned"},
     "no row's name ends"),
    ("Table.published", {"report.tables": [{"columns": ["nll"]}]}, f"{TABLE}.published",
     {"nice": {"fid": 3.0}}, "not among the table's `columns`"),
    ("Table.published", {"report.tables": [{"methods": ["gan"]}]}, f"{TABLE}.published",
     {"nice": {"nll": 3.0}}, "not among the table's `methods`"),
    ("Table.methods", {**TABLES, "real": False}, f"{TABLE}.methods", ["nice", "real"],
     "left out by `real: false`"),
    ("Report.figures", {"datasets": ["digits"], "methods": ["gan"]}, "report.figures",
     ["density"], "which no dataset here holds"),
]


@pytest.fixture
def plan_with(tmp_path: Path, fake: ModuleType) -> Callable[[Mapping[str, Any]], Plan]:
    """The plan of the small suite with changes, by dotted place."""
    (tmp_path / "fakes.py").write_text(fake.METRICS)
    for shade, name in enumerate(("made", "more")):
        np.save(tmp_path / f"{name}.npy", np.full((9, 1, 8, 8), shade, np.float32))

    def plan(changes: Mapping[str, Any]) -> Plan:
        suite = copy.deepcopy(dict(SUITE))
        for place, value in changes.items():
            _put(suite, place, copy.deepcopy(value))
        (tmp_path / "s.yaml").write_text(yaml.safe_dump(suite, sort_keys=False))
        return load_plan(tmp_path / "s.yaml")

    return plan


def _put(suite: Any, place: str, value: Any) -> None:
    *above, last = place.split(".")
    for key in above:
        suite = suite[int(key)] if isinstance(suite, list) else suite.setdefault(key, {})
    if value is None:
        suite.pop(last)
    else:
        suite[int(last) if isinstance(suite, list) else last] = value


def asked(plan: Plan) -> list[Any]:
    """What decides the runs and how they are done."""
    return [plan.suite.cluster, plan.suite.time_limit, *plan.runs]


def reported(plan: Plan, fake: ModuleType, folder: Path) -> dict[str, str]:
    """The files of the report on made-up results, as hashes."""
    store = Store(folder / "results")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("genbench.store.files.os.fsync", lambda handle: None)
        fake.fill(plan, store, spoil=False)
        build(plan, store, folder)
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in [*folder.glob("*.*"), *folder.glob("figures/*")] if path.is_file()
    }


def _acts(
    plan_with: Callable[[Mapping[str, Any]], Plan], fake: ModuleType, folder: Path,
    beside: Mapping[str, Any], place: str, value: Any,
) -> bool:
    before, after = plan_with(beside), plan_with({**beside, place: value})
    if asked(before) != asked(after):
        return True
    (folder / "before").mkdir()
    (folder / "after").mkdir()
    return reported(before, fake, folder / "before") != reported(after, fake, folder / "after")


@pytest.mark.parametrize(("beside", "place", "value"), [
    pytest.param(beside, place, value, id=f"{key}-{place}") for key, beside, place, value in ACTS
])
def test_a_key_acts(
    plan_with: Callable[[Mapping[str, Any]], Plan], fake: ModuleType, tmp_path: Path,
    beside: Mapping[str, Any], place: str, value: Any,
) -> None:
    assert _acts(plan_with, fake, tmp_path, beside, place, value)


@pytest.mark.slow
@pytest.mark.parametrize(("beside", "place", "value"), [
    pytest.param(beside, place, value, id=key) for key, beside, place, value in DRAWN
])
def test_a_key_of_a_figure_acts(
    plan_with: Callable[[Mapping[str, Any]], Plan], fake: ModuleType, tmp_path: Path,
    beside: Mapping[str, Any], place: str, value: Any,
) -> None:
    assert _acts(plan_with, fake, tmp_path, beside, place, value)


@pytest.mark.parametrize(("beside", "place", "value", "why"), [
    pytest.param(*case, id=f"{key}-{case[1]}") for key, *case in REFUSED
])
def test_a_key_that_could_not_matter_is_refused_with_its_line(
    plan_with: Callable[[Mapping[str, Any]], Plan], beside: Mapping[str, Any], place: str,
    value: Any, why: str,
) -> None:
    plan_with(beside)
    with pytest.raises(SuiteError, match=why) as refusal:
        plan_with({**beside, place: value})
    assert refusal.value.line


def test_every_key_is_tried() -> None:
    """But BibTeX, which `cite` prints."""
    parts = [part for part in vars(schema).values() if isinstance(part, type)
             and issubclass(part, BaseModel) and part.__module__ == schema.__name__
             and not part.__name__.startswith("_")]
    parts.append(schema.Cluster)
    keys = {f"{part.__name__}.{key}" for part in parts for key in part.model_fields}
    tried = {case[0] for case in (*ACTS, *DRAWN, *REFUSED)}
    assert keys - tried == {"Entry.cite", "External.cite"}
    assert {key.partition(".")[0] for key in tried} <= {key.partition(".")[0] for key in keys}
