from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from genbench.catalogue import listing as catalogue
from genbench.catalogue.cite import cite
from genbench.errors import UnknownName
from genbench.lookup import available, describe
from genbench.suites.expand import load_plan
from genbench.suites.yaml_source import parse


@pytest.mark.parametrize("kind", ["model", "objective", "dataset", "metric"])
def test_lists_name_everything_once(kind: str) -> None:
    for plural in (kind, f"{kind}s"):
        lines = catalogue.listing(plural).splitlines()
        assert [line.split()[0] for line in lines] == list(available(kind))
        assert all(len(line.split()) > 1 for line in lines)


def test_lists_of_methods_and_suites(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert re.search(r"^wgan-gp +GAN: ", catalogue.listing("methods"), re.MULTILINE)
    (tmp_path / "suites").mkdir()
    (tmp_path / "suites" / "a.yaml").write_text("title: An example\n")
    (tmp_path / "suites" / "b.yaml").write_text("- nothing\n")
    monkeypatch.chdir(tmp_path)
    listed = catalogue.listing("suites").splitlines()
    assert [line for line in listed if line.split() == ["a", "An", "example"]]
    assert "cannot be read" in next(line for line in listed if line.startswith("b "))
    assert [line for line in listed if line.startswith("quickstart ")]  # comes with genbench


def test_unknown_kinds_and_names() -> None:
    with pytest.raises(UnknownName, match="no kind 'modles'; did you mean 'models'"):
        catalogue.listing("modles")
    with pytest.raises(UnknownName, match="did you mean 'wgan-gp'"):
        catalogue.info("wgan-pg")
    with pytest.raises(UnknownName, match="no metric 'ring'"):
        catalogue.info("ring", "metric")
    with pytest.raises(UnknownName, match="no kind"):
        catalogue.info("ring", "things")


def test_a_name_of_two_things_asks_which() -> None:
    said = "'dcgan' is among the models and the methods; say which: model/dcgan or method/dcgan"
    with pytest.raises(UnknownName, match=said):
        catalogue.info("dcgan")
    assert catalogue.info("model/dcgan").startswith("model dcgan")
    assert catalogue.info("methods/dcgan").startswith("method dcgan")
    assert catalogue.info("dcgan", "models") == catalogue.info("model/dcgan")


@pytest.mark.parametrize("kind", ["model", "objective", "dataset", "metric"])
def test_info_shows_every_option(kind: str) -> None:
    for name in available(kind):
        text = catalogue.info(name, kind)
        for option in describe(kind, name).options:
            assert f"\n  {option.name}: " in text
            assert " ".join(option.doc.split()[:3]) in text


def test_info_of_a_method_can_be_run_as_it_stands(tmp_path: Path) -> None:
    """The resolved YAML, pasted into a suite, is the same run."""
    text = catalogue.info("wgan-gp")
    assert "E_{x̂}" in text
    assert "gulrajani2017improved" in text
    assert "critic_steps: whole number ≥ 1, here 5, default 1" in text
    resolved = text.split("resolved:\n")[1].split("\n\n")[0]
    assert parse(resolved, "x").data["model"]["name"] == "generator"
    path = tmp_path / "s.yaml"
    path.write_text(
        "datasets: ring\nevaluate: nll\nseeds: 1\nreal: false\nbudget: {updates: 3}\nmethods:\n"
        "  wgan-gp: {}\n  copy:\n" + "\n".join(f"  {line}" for line in resolved.splitlines())
    )
    first, second = load_plan(path).runs
    assert first.hash == second.hash


def test_info_of_a_plug_in(tmp_path: Path) -> None:
    path = tmp_path / "mine.py"
    path.write_text(
        'class Mine(Metric):\n    """Mine."""\n    values = {"mine_k{k}": {"better": "lower"}}\n'
        '    k: Count = 3\n    """How many."""\n    def measure(self, evidence): ...\n'
    )
    text = catalogue.info(f"{path}:Mine")
    assert "measures mine_k{k}: lower is better" in text
    assert "k: whole number ≥ 1, default 3\n      How many." in text


def test_cite_gives_each_entry_once(tmp_path: Path) -> None:
    path = tmp_path / "s.yaml"
    path.write_text(
        "datasets: ring\nevaluate: [nll, kid]\nseeds: 1\nbudget: {updates: 3}\n"
        "methods: [gan, wgan-gp, gan-minimax, {again: {use: wgan-gp}}]\n"
    )
    keys = re.findall(r"^@\w+\{([^,]+),", cite(path), re.MULTILINE)
    assert keys == sorted(set(keys))
    assert {"goodfellow2014generative", "gulrajani2017improved", "metz2017unrolled"} <= set(keys)


def test_info_of_a_suite(tmp_path: Path) -> None:
    path = tmp_path / "s.yaml"
    path.write_text("datasets: ring\nevaluate: nll\nmethods: gan\nbudget: {updates: 3}\n")
    text = catalogue.info(str(path))
    assert "methods: gan\ndatasets: ring\nmeasures: nll\nruns: 4, seeds 0, 1, 2" in text


def test_cite_takes_the_name_of_anything(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    found = re.findall(r"^@\w+\{([^,]+),", cite("wgan-gp"), re.MULTILINE)
    assert {"gulrajani2017improved", "goodfellow2014generative"} <= set(found)
    assert "@inproceedings{heusel2017gans" in cite("fid")
    assert cite("quickstart").count("@") > 5  # a suite that comes with genbench
    with pytest.raises(UnknownName, match="did you mean 'wgan-gp'"):
        cite("wgan-pg")
    with pytest.raises(UnknownName, match=r"no suite 'lost\.yaml'"):
        cite("lost.yaml")
    with pytest.raises(UnknownName, match=r"and \d+ more$"):
        cite("zzz")


def test_rows_of_samples_made_elsewhere_are_not_cited(tmp_path: Path) -> None:
    np.save(tmp_path / "theirs.npy", np.zeros((50, 2)))
    suite = tmp_path / "mixed.yaml"
    suite.write_text(
        "title: Mixed\ndatasets: [ring]\nbudget: {updates: 5}\nmethods: [wgan-gp]\n"
        "external: {theirs: {samples: theirs.npy, dataset: ring}}\nevaluate: [mode_coverage]\n"
    )
    assert "gulrajani2017improved" in cite(suite)


def test_bounds_of_an_option_are_words() -> None:
    text = catalogue.info("image_folder")
    assert "test_share: number > 0 and < 1, default 0.1" in text
    codes = catalogue.info("coded_generator")
    assert "categories: list[whole number ≥ 2], default [10]" in codes
    assert "Annotated" not in "".join(
        catalogue.info(name, "objective") for name in available("objective")
    )
