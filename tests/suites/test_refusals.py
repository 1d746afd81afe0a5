"""What the suite alone shows to be impossible is refused before anything is built."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

SUITE = """
title: Refused
datasets: [DATA]
budget: {updates: 5}
methods:
  mine:
    model: MODEL
    train: {TRAIN}
evaluate: [memorisation]
"""
CASES = [
    ("ring", "mixture", "pgan: {assignment: hard, temperature: 0.5}",
     ":8: methods.mine.train.pgan.temperature: ", "has no temperature"),
    ("ring", "mixture", "pgan: {bound: centre, loss: least_squares}",
     ":8: methods.mine.train.pgan.loss: ", "use bound: drift"),
    ("ring", "generator", "adversarial: {condition: projection}",
     ":8: methods.mine.train.adversarial.condition: ", "no labels to condition on"),
    ("ring", "generator", "class_adversarial: {condition: projection}",
     ":8: methods.mine.train.class_adversarial.condition: ", "is not conditioned on the label"),
    ("digits", "{name: mixture, component: glow}", "pgan: {}",
     ":8: methods.mine.train.pgan.shared_trunk: ", "add shared_trunk: true"),
    ("digits", "{name: mixture, component_options: {network: cnn}}", "pgan: {critic: auto}",
     ":8: methods.mine.train.pgan.shared_trunk: ", "add shared_trunk: true"),
    ("ring", "generator", "mcgan: {features: 4, rank: 9}",
     ":8: methods.mine.train.mcgan.rank: ", "fewer features than the rank"),
    ("ring", "mixture", "mixture_em: {m_step: exact}",
     ":8: methods.mine.train.mixture_em.m_step: ", "{couplings: 0}"),
    ("ring", "{name: mixture, component: spline}", "mixture_em: {m_step: exact}",
     ":8: methods.mine.train.mixture_em.m_step: ", "component: nice"),
    ("ring", "{name: mixture, start: random, component_options: {couplings: 0}}",
     "mixture_em: {m_step: exact}", ":8: methods.mine.train.mixture_em.m_step: ",
     "start: kmeans"),
    ("ring", "autoencoder", "wae_gan: {critic: mlp}",
     ":8: methods.mine.train.wae_gan.critic: ", "leave critic out"),
    ("ring", "autoencoder", "wae_gan: {critic_channels: 8}",
     ":8: methods.mine.train.wae_gan.critic_channels: ", "leave critic_channels out"),
    ("ring", "{name: vae, decoder: bernoulli}", "elbo: {}",
     ":7: methods.mine.model.decoder: ", "is for images"),
    ("ring", "{name: ddpm, network: unet}", "denoising: {}",
     ":7: methods.mine.model.network: ", "is for images"),
    ("ring", "{name: nice, network: cnn}", "likelihood: {}",
     ":7: methods.mine.model.network: ", "is for images"),
    ("ring", "{name: mixture, component_options: {network: cnn}}", "likelihood: {}",
     ":7: methods.mine.model.component_options.network: ", "is for images"),
]


@pytest.mark.parametrize(("data", "model", "train", "where", "why"), CASES)
def test_one_line_says_where_and_why(
    errors_of: Callable[[str], list[str]], data: str, model: str, train: str, where: str, why: str
) -> None:
    suite = SUITE.replace("DATA", data).replace("MODEL", model).replace("TRAIN", train)
    errors = errors_of(suite)
    assert len(errors) == 1, errors
    assert errors[0].startswith(f"mine.yaml{where}"), errors[0]
    assert why in errors[0]


def test_what_goes_together_is_taken(plan_of: Callable[[str], object]) -> None:
    for data, model, train in (
        ("digits", "{name: mixture, component: glow}", "pgan: {critic: mlp}"),
        ("ring", "{name: mixture, component_options: {network: mlp}}", "pgan: {}"),
        ("digits", "conditional_generator", "adversarial: {condition: projection}"),
        ("ring", "{name: mixture, component_options: {couplings: 0}}",
         "mixture_em: {m_step: exact}"),
        ("ring", "mixture", "pgan: {assignment: hard}"),
    ):
        plan_of(SUITE.replace("DATA", data).replace("MODEL", model).replace("TRAIN", train))


def test_one_file_of_samples_is_no_second_seed(
    errors_of: Callable[[str], list[str]], tmp_path: Path
) -> None:
    """Their spread over the seeds would be none, and every comparison sure."""
    (tmp_path / "a.npy").write_bytes(b"samples")
    (tmp_path / "copy.npy").write_bytes(b"samples")
    for second in ("a.npy", "./a.npy", "copy.npy"):
        [said] = errors_of("datasets: ring\nevaluate: nll\n"
                           f"external: {{theirs: {{samples: [a.npy, {second}]}}}}\n")
        assert ":3: external.theirs.samples[1]: " in said
        assert "the samples of another seed" in said


@pytest.mark.parametrize(("options", "says"), [
    ("path: ''", "path: expected at least 1"),
    ("path: x, channels: '3'", "got '3'; write it without quotes"),
])
def test_options_of_a_folder(
    errors_of: Callable[[str], list[str]], options: str, says: str
) -> None:
    """An empty path would be everything in the data folder."""
    [said] = errors_of(f"datasets: {{pics: {{use: image_folder, {options}}}}}\nevaluate: nll\n"
                       "methods: nice\nbudget: {updates: 1}\n")
    assert ":1: datasets.pics." in said
    assert says in said
