"""A small suite with made-up runs, for the tests of store and reports.

One run diverged, one never ran.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np

from genbench.seeding import derive
from genbench.store.measurement import Measurement
from genbench.store.runs import RunWriter, Status, Store
from genbench.suites.plan import DatasetInfo, MethodInfo, Plan
from genbench.suites.schema import Suite
from genbench.suites.spec import REAL, ComponentSpec, MetricSpec, RunSpec, StageSpec, TermSpec

METRICS = '''
from genbench.evaluation.base import Metric
from genbench.fields import ClassVar, Count

class Fake(Metric):
    def measure(self, evidence, sample_set=0): ...

class Nll(Fake):
    """NLL."""
    values: ClassVar[dict] = {"nll": {"better": "lower", "unit": "nats", "title": "NLL"}}

class Fid(Fake):
    """FID."""
    values: ClassVar[dict] = {"fid": {"better": "lower", "unit": "", "title": "FID"}}

class Covered(Fake):
    """Modes."""
    values: ClassVar[dict] = {
        "modes_covered": {"better": "higher", "unit": "", "title": "modes covered"},
        "covered_k{k}": {"better": "none", "unit": "", "title": "covered at {k}"},
    }
    k: Count = 5
    """A number."""
'''
VERSIONS = {"python": "3.11.7", "torch": "2.14.1"}
DIVERGED = ("gan", "digits", 1)
MISSING = ("mixflow", "ring", 2)
TITLES = {"gan": "GAN", "nice": "NICE", "mixflow": "Mixture of flows"}
LEVEL = {"gan": 3.0, "nice": 2.6, "mixflow": 2.4, REAL: 2.33}


def make_plan(
    folder: Path, *, methods: tuple[str, ...] = ("gan", "nice", "mixflow"),
    datasets: tuple[str, ...] = ("ring", "digits"), seeds: int = 3,
    report: dict[str, Any] | None = None, limited: bool = False, k: int = 5,
) -> Plan:
    """A plan of methods × datasets × seeds with the metrics above, and the real rows."""
    (folder / "fakes.py").write_text(METRICS)
    metrics = tuple(
        MetricSpec(name=f"fakes.py:{name}", options=options)
        for name, options in (("Nll", {}), ("Fid", {}), ("Covered", {"k": k}))
    )
    runs = []
    for dataset in datasets:
        for method in (REAL, *methods):
            term = TermSpec(objective=ComponentSpec(name="likelihood"))
            stages = [] if method == REAL else [StageSpec(terms=[term], updates=1500)]
            runs += [
                RunSpec(
                    suite="fake", method=method, dataset=dataset, seed=seed, stages=stages,
                    model=ComponentSpec(name=method), data=ComponentSpec(name=dataset),
                    evaluate=list(metrics), folder=str(folder), limited=limited,
                    ema=0.999 if method == "nice" else None,
                )
                for seed in range(1 if method == REAL else seeds)
            ]
    suite = Suite.model_validate({
        "description": "Made up.", "datasets": list(datasets), "methods": list(methods),
        "evaluate": ["nll"], "report": report or {},
    })
    return Plan(
        name="fake", title="A fake suite", path=folder / "suites" / "fake.yaml", suite=suite,
        runs=tuple(runs),
        methods={
            name: MethodInfo(TITLES.get(name, name), "flow", f"{name} in a line", "", "", name)
            for name in methods
        },
        datasets={
            name: DatasetInfo(name, "points" if name == "ring" else "images", "", True, True, "")
            for name in datasets
        },
        metrics=metrics, values=("nll", "fid", "modes_covered", "covered_k5"), warnings=(),
    )


def fill(plan: Plan, store: Store, *, spoil: bool = True) -> None:
    """Write every run; with `spoil`, one diverges and one is missing."""
    for spec in plan.runs:
        where = (spec.method, spec.dataset, spec.seed)
        if spoil and where == MISSING:
            continue
        write_run(spec, store, diverged=spoil and where == DIVERGED)


def write_run(spec: RunSpec, store: Store, *, diverged: bool = False) -> None:
    """One run folder, as the runner would leave it."""
    store.prepare()
    with store.claim(spec.id) as run:
        _write(spec, run, diverged=diverged)


def _write(spec: RunSpec, folder: RunWriter, *, diverged: bool) -> None:
    folder.write_spec(spec)
    folder.write_provenance({"versions": VERSIONS,
                             "git": {"commit": "abc" * 13, "dirty": False}, "threads": 1})
    if spec.method != REAL:
        folder.write_curves(curves(spec, 300 if diverged else 1500))
    if diverged:
        reason = "critic.wasserstein became nan at update 301"
        folder.write_status(Status("diverged", reason, 301, 1500, 2.5))
        folder.seal()
        return
    budget = {"updates": spec.updates, "examples": spec.updates * 128, "seconds": 12.5,
              "device": "cpu", "parameters": 1000, "ema": spec.ema}
    if spec.method == REAL:
        budget = {"updates": 0, "examples": 0, "seconds": 0.5, "device": "cpu"}
    note = "classifier test accuracy 98.4 %"
    folder.write_metrics(spec, measurements(spec), budget,
                         [note] if spec.dataset == "digits" else [])
    folder.write_samples(samples(spec))
    folder.write_status(Status("done", "", spec.updates, spec.updates, 12.5))
    folder.seal()


def measurements(spec: RunSpec) -> list[Measurement]:
    """Numbers that depend on the run alone."""
    rng = np.random.default_rng(derive(spec.method, spec.dataset, spec.seed))
    nll = LEVEL.get(spec.method, 2.5) + 0.01 * rng.normal()
    points = spec.dataset == "ring"
    k = next(m.options["k"] for m in spec.evaluate if "k" in m.options)

    def one(metric: str, value: float | None, better: str, **more: Any) -> Measurement:
        about = {"status": "ok", "title": metric.upper(), **more}
        return Measurement(metric=metric, value=value, better=better, **about)

    gan = spec.method == "gan"
    skipped = {"status": "skipped", "reason": "the model has no exact density", "protocol": ""}
    return [
        one("nll", None if gan else nll, "lower", unit="nats", title="NLL",
            **(skipped if gan else {"protocol": f"{spec.dataset}-test-v1"})),
        one("fid", None if points else 40 * nll, "lower", title="FID",
            **({**skipped, "reason": "images only"} if points else
               {"protocol": "classifier-500-test-v1", "sampling_std": 0.4})),
        one("modes_covered", 6.0, "higher", title="modes covered", protocol="10k-v1"),
        one(f"covered_k{k}", 0.5, "none", title=f"covered at {k}", protocol="10k-v1"),
    ]


def curves(spec: RunSpec, last: int) -> list[dict[str, Any]]:
    """Falling losses with noise."""
    rng = np.random.default_rng(derive("curves", spec.method, spec.dataset, spec.seed))
    rows = []
    for update in range(15, last + 1, 15):
        fall = LEVEL.get(spec.method, 2.5) + 3 * math.exp(-update / 200) + 0.05 * rng.normal()
        terms = [("critic", "wasserstein", -fall), ("critic", "gradient_penalty", 0.1 * fall),
                 ("model", "wasserstein", fall)]
        for player, term, value in terms if spec.method == "gan" else [("model", "nll", fall)]:
            rows.append({"update": update, "stage": 0, "player": player, "term": term,
                         "value": value})
    return rows


def samples(spec: RunSpec) -> dict[str, np.ndarray]:
    """Blobs for images; points on a ring of six modes, with a density where there is one."""
    rng = np.random.default_rng(derive("samples", spec.method, spec.dataset, spec.seed))
    if spec.dataset != "ring":
        y, x = np.mgrid[0:8, 0:8]
        centres = rng.uniform(2, 6, (100, 2, 1, 1))
        far = (x - centres[:, 0]) ** 2 + (y - centres[:, 1]) ** 2  # (100, 8, 8)
        return {"samples": (255 * np.exp(-far / 4)).astype(np.uint8)[:, None]}
    angles = 2 * np.pi * np.arange(6) / 6
    modes = 5 * np.stack([np.cos(angles), np.sin(angles)], 1)
    component = rng.integers(6, size=2000)
    points = (modes[component] + 0.32 * rng.normal(size=(2000, 2))).astype(np.float32)
    arrays = {"samples": points}
    if spec.method != "gan":
        axis = np.linspace(-7, 7, 60)
        grid = np.stack(np.meshgrid(axis, axis), -1)[:, :, None] - modes  # (G, G, 6, 2), row = y
        log = -(grid**2).sum(-1) / 0.2 - math.log(6 * 2 * math.pi * 0.1)
        arrays["log_density"] = np.logaddexp.reduce(log, axis=-1).astype(np.float32)
        arrays["grid"] = np.array([-7, 7, -7, 7], dtype=np.float32)
    if spec.method == "mixflow":
        arrays["components"] = component
    if spec.method == "gan":
        arrays["critic_weights"] = rng.normal(size=500).astype(np.float32)
    return arrays
