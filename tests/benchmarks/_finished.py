"""A finished suite: made-up numbers in files of real sizes and shapes."""

from __future__ import annotations

import math
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from genbench.seeding import derive
from genbench.store.measurement import Measurement
from genbench.store.runs import RunWriter, Status, Store
from genbench.store.table import expected_values
from genbench.suites.expand import load_plan
from genbench.suites.spec import REAL, RunSpec

__all__ = ["ROWS", "finished_suite"]

ROWS = 20
"""Trained runs for each seed: 10 methods × 2 datasets; two rows of real data come on top."""
STRETCHES = 400
"""Rows of each term in a training curve, as the loop writes them."""
SUITE = """\
title: A finished suite
datasets:
  digits: {}
  ring: {modes: 8, radius: 2, variance: 0.01}
seeds: SEEDS
budget: {updates: 1500, batch: 128}
methods:
  gan: {}
  wgan-gp: {}
  lsgan: {}
  hinge: {model: generator, train: {adversarial: {loss: hinge}}}
  nice: {model: {name: nice, couplings: {grid: [4, 6]}}, train: likelihood}
  realnvp: {model: realnvp, train: likelihood}
  mixflow: {model: {name: mixture, components: 6}, train: likelihood}
  vae: {model: vae, train: elbo}
  ddpm: {model: ddpm, train: denoising}
evaluate: [nll, neg_elbo, bits_per_dim, nll_gap, inception_score, fid, kid, mode_score,
           precision_recall, density_coverage, mode_coverage, sliced_wasserstein]
report:
  tables:
    - {title: Digits, dataset: digits, columns: [nll, neg_elbo, is, fid, kid, precision, recall]}
    - {title: Ring, dataset: ring, columns: [nll, neg_elbo, nll_gap, modes_covered, swd]}
  claims:
    - {id: one, text: Scales help, expect: "nll[realnvp, digits] < nll[vae, digits]"}
    - {id: two, text: A penalty helps, expect: "fid[wgan-gp, digits] < fid[gan, digits]"}
    - {id: three, text: Components help, expect: "nll[mixflow, ring] < nll[realnvp, ring]"}
"""


def finished_suite(folder: Path, seeds: int = 10) -> Path:
    """Write `folder/suite.yaml` and its finished `folder/results`; returns the suite's file."""
    suite = folder / "suite.yaml"
    suite.write_text(SUITE.replace("SEEDS", str(seeds)), encoding="utf-8")
    plan = load_plan(suite)
    assert len([spec for spec in plan.runs if spec.method != REAL]) == ROWS * seeds
    store = Store(folder / "results" / plan.name)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", lambda handle: None)  # thousands of files
        store.prepare()
        for spec in plan.runs:
            with store.claim(spec.id) as run:
                _write(spec, run)
    return suite


def _write(spec: RunSpec, folder: RunWriter) -> None:
    """One run folder, as the runner leaves it."""
    real = spec.method == REAL
    rng = np.random.default_rng(derive(spec.method, spec.dataset, spec.seed))
    folder.write_spec(spec)
    versions = {"python": "3.11.7", "genbench": "0.1.0", "torch": "2.14.1", "numpy": "2.4.6"}
    folder.write_provenance({
        "command": "genbench run suite.yaml", "cpu": "a CPU", "device": "cpu",
        "git": {"commit": "0" * 40, "dirty": False}, "platform": "Linux", "threads": 1,
        "versions": versions,
    })
    if not real:
        folder.write_curves(_curves(spec, rng))
        folder.folder.checkpoint.write_bytes(rng.bytes(100_000))
    budget = {"updates": spec.updates, "examples": spec.updates * spec.batch, "seconds": 12.5,
              "device": "cpu", "parameters": 100_000, "ema": spec.ema, "log_det": None}
    folder.write_metrics(spec, _measurements(spec, rng), budget, ["classifier: 99.0 % right"])
    folder.write_samples(_samples(spec, rng))
    folder.write_status(Status("done", "", spec.updates, spec.updates, 12.5))
    folder.seal()


def _measurements(spec: RunSpec, rng: np.random.Generator) -> list[Measurement]:
    """A number for every value of every metric; implicit models have no likelihood."""
    implicit = spec.model.name == "generator"
    found = []
    for metric in spec.evaluate:
        for name, facts in expected_values(metric, spec.folder).items():
            skipped = implicit and metric.name in ("nll", "neg_elbo", "bits_per_dim", "nll_gap")
            found.append(Measurement(
                metric=name, better=facts["better"], unit=facts.get("unit", ""),
                title=facts.get("title", name), protocol=f"{spec.dataset}-test-v1",
                value=None if skipped else float(rng.normal(3, 0.1)),
                sampling_std=None if skipped else 0.01,
                status="skipped" if skipped else "ok",
                reason="the model has no exact density" if skipped else "",
            ))
    return found


def _curves(spec: RunSpec, rng: np.random.Generator) -> list[dict[str, Any]]:
    """Falling losses with noise: three terms of a GAN, one of the others."""
    terms = [("model", "nll")]
    if spec.model.name == "generator":
        terms = [("critic", "wasserstein"), ("critic", "gradient_penalty"), ("model", "generator")]
    every = max(1, spec.updates // STRETCHES)
    return [
        {"update": update, "stage": 0, "player": player, "term": term,
         "value": 3 * math.exp(-update / 200) + float(rng.normal(0, 0.05))}
        for update in range(every, spec.updates + 1, every) for player, term in terms
    ]


def _samples(spec: RunSpec, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Grey blobs for images; in the plane, points on a ring and their density on a grid."""
    if spec.dataset == "digits":
        y, x = np.mgrid[0:8, 0:8]
        centres = rng.uniform(2, 6, (100, 2, 1, 1))
        far = (x - centres[:, 0]) ** 2 + (y - centres[:, 1]) ** 2  # (100, 8, 8)
        return {"samples": (255 * np.exp(-far / 4)).astype(np.uint8)[:, None]}
    component = rng.integers(8, size=2000)
    angles = 2 * np.pi * np.arange(8) / 8
    modes = 2 * np.stack([np.cos(angles), np.sin(angles)], 1)
    points = modes[component] + 0.1 * rng.normal(size=(2000, 2))
    arrays: dict[str, np.ndarray] = {"samples": points.astype(np.float32)}
    if spec.model.name != "generator":
        axis = np.linspace(-2.5, 2.5, 120)
        grid = np.stack(np.meshgrid(axis, axis), -1)[:, :, None] - modes  # (G, G, 8, 2), row = y
        log = -(grid**2).sum(-1) / 0.02 - math.log(8 * 2 * math.pi * 0.01)
        arrays["log_density"] = np.logaddexp.reduce(log, axis=-1).astype(np.float32)
        arrays["grid"] = np.array([-2.5, 2.5, -2.5, 2.5])
    if spec.model.name == "mixture":
        arrays["components"] = component
    return arrays
