"""The README and the manual: what they show is there, what they say runs, and the generated parts
are up to date."""

from __future__ import annotations

import math
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
import typer
import warm

import genbench as gb
from genbench import lookup
from genbench.catalogue import manual
from genbench.cli.app import app
from genbench.cli.executors import with_flags
from genbench.cli.run import run
from genbench.data.space import Space
from genbench.errors import GenbenchError
from genbench.noise import Noise
from genbench.objectives.base import Batch
from genbench.suites.expand import load_plan
from genbench.suites.yaml_source import parse
from genbench.suites.zoo import method_names

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "genbench/docs").rglob("*.md"))]
TEXTS = {page: page.read_text(encoding="utf-8") for page in PAGES}
TEXT = "\n".join(TEXTS.values())
CLI: Any = typer.main.get_command(app)


def blocks(language: str) -> list[str]:
    """The fenced blocks of a language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)


def written_commands() -> list[str]:
    """Every `genbench …` of the README, from the sh blocks and from running text."""
    lines = [line for block in blocks("sh") for line in block.splitlines()]
    prose = re.sub(r"^```.*?^```$", "", TEXT, flags=re.MULTILINE | re.DOTALL)
    spans = [" ".join(span.split()) for span in re.findall(r"`([^`]+)`", prose)]
    found = [text for text in [*lines, *spans] if text.startswith("genbench ")]
    return list(dict.fromkeys(text for text in found if not text.startswith("genbench COMMAND")))


def words(command: str) -> list[str]:
    """A command's words, without its comment and without what the shell does with its output."""
    split = shlex.split(command.partition(" > ")[0], comments=True)
    assert split[0] == "genbench"
    return split[1:]


def suites() -> list[str]:
    """The yaml blocks that are suites."""
    return [block for block in blocks("yaml") if "methods" in parse(block, "README.md").data]


def files() -> dict[str, str]:
    """The python blocks that say in their first line which file they are."""
    named = {re.match(r'"""(\w+\.py):', block): block for block in blocks("python")}
    return {match[1]: block for match, block in named.items() if match}


def scripts() -> list[str]:
    """The python blocks that are typed as they stand."""
    return [block for block in blocks("python") if not re.match(r'"""\w+\.py:', block)]


@pytest.fixture
def beside(tmp_path: Path) -> Path:
    """A folder with the manual's own files."""
    for name, block in files().items():
        (tmp_path / name).write_text(block, encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_generated_parts_are_up_to_date(page: Path) -> None:
    assert manual.regenerate(TEXTS[page]) == TEXTS[page], "run make docs"


def test_every_generated_part_has_its_place() -> None:
    assert sorted(re.findall(r"<!-- generated: (\S+) -->", TEXT)) == sorted(manual.PARTS)


def test_the_readme_is_short_and_links_every_page() -> None:
    text = TEXTS[ROOT / "README.md"]
    assert len(text.splitlines()) <= 150
    for page in PAGES[1:]:
        assert f"({page.relative_to(ROOT).as_posix()})" in text


@pytest.mark.parametrize("kind", ["model", "objective", "dataset", "metric", "method"])
def test_tables_have_a_row_for_everything(kind: str) -> None:
    part = manual.PARTS[f"{kind}s"]()
    names = method_names() if kind == "method" else lookup.available(kind)
    assert len(re.findall(r"^\| `", part, re.MULTILINE)) == len(names)
    for name in names:
        assert f"\n| `{name}` | " in part
    widths = {len(re.findall(r"(?<!\\)\|", line)) for line in part.splitlines() if line}
    assert len(widths) == 1, "a cell broke the table"


def test_the_table_of_metrics_fills_in_options() -> None:
    part = manual.metrics()
    assert "| `nll_iw_k5000` | nats | lower | points, images; likelihood bound, encoder | " in part
    assert "|  | `bits_per_dim_iw_k5000` | bits/dim | lower |  |  |" in part
    assert "{" not in part


def test_help_does_not_depend_on_the_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    expected = manual.help_text("list")
    for name, value in {"COLUMNS": "40", "FORCE_COLOR": "1", "GITHUB_ACTIONS": "true",
                        "TERMINAL_WIDTH": "50", "PYTHONIOENCODING": "ascii"}.items():
        monkeypatch.setenv(name, value)
    assert manual.help_text("list") == expected
    assert "Usage: genbench list [OPTIONS]" in expected
    assert max(map(len, expected.splitlines())) <= manual.WIDTH
    with pytest.raises(GenbenchError, match="genbench lost --help failed"):
        manual.help_text("lost")


def test_stale_and_broken_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "page.md"
    stale = "before\n<!-- generated: datasets -->\noutdated\n<!-- end -->\nafter\n"
    file.write_text(stale, encoding="utf-8")
    assert manual.main([str(file), "--check"]) == 1
    assert file.read_text(encoding="utf-8") == stale
    assert "run make docs" in capsys.readouterr().err
    assert manual.main([str(file)]) == 0
    written = file.read_text(encoding="utf-8")
    assert "| `ring` |" in written
    assert "outdated" not in written
    assert written.startswith("before\n<!--")
    assert written.endswith("<!-- end -->\nafter\n")
    assert manual.main([str(file), "--check"]) == 0
    for text, message in (
        ("<!-- generated: dates -->\n<!-- end -->\n", "no generated part 'dates'; there is data"),
        ("<!-- generated: datasets -->\n", "each part needs one of both"),
        ("<!-- end -->\n<!-- generated: datasets -->\n", "each part needs one of both"),
    ):
        file.write_text(text, encoding="utf-8")
        assert manual.main([str(file)]) == 2
        assert message in capsys.readouterr().err
        assert file.read_text(encoding="utf-8") == text
    assert manual.main([str(tmp_path / "none.md")]) == 2
    assert "No such file" in capsys.readouterr().err


def test_the_manual_is_written_without_torch() -> None:
    code = (
        "import sys; from genbench.catalogue import manual\n"
        "[manual.PARTS[name]() for name in manual.PARTS if not name.startswith('help')]\n"
        "sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize("number", range(len(suites())))
def test_suites_validate(number: int, beside: Path) -> None:
    path = beside / "suite.yaml"
    path.write_text(suites()[number], encoding="utf-8")
    plan = load_plan(path)
    assert plan.runs
    assert plan.warnings == ()


def test_there_are_suites_and_a_plug_in() -> None:
    assert len(suites()) >= 3
    assert set(files()) == {
        "circle.py", "losses.py", "matching.py", "means.py", "processes.py", "quantiles.py",
        "rotated.py", "shift.py", "table.py",
    }
    assert len(scripts()) == 3


@pytest.mark.parametrize("command", written_commands())
def test_commands_exist(command: str, beside: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(beside)
    name, *arguments = words(command)
    with_flags(run, arguments)  # which may name an executor of one's own
    commands = typer.main.get_command(app).commands
    assert name in commands
    # reads the words as the command would, types and all, and calls nothing
    commands[name].make_context(name, arguments)


def test_every_command_is_shown_and_every_flag_of_run() -> None:
    said = [words(command) for command in written_commands()]
    assert {name for name, *_ in said} == set(CLI.commands)
    flags = {o for p in CLI.commands["run"].params for o in p.opts if o.startswith("--")}
    prose = "\n".join(text for page, text in TEXTS.items() if page.parent.name != "reference")
    assert [flag for flag in flags - {"--help"} if flag not in prose] == []


def test_make_targets_exist() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"\bmake ([a-z]+)\b(?=`|[ \n]+[#`]|;)", TEXT))
    assert {"quickstart", "test", "lint", "bench", "check", "docs"} <= targets
    for target in targets:
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), f"make {target}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_links_and_named_files_exist(page: Path) -> None:
    links = [target.partition("#")[0] for target in re.findall(r"\]\(([^)\s]+)\)", TEXTS[page])]
    local = [page.parent / t for t in links if t and not re.match(r"[a-z]+:", t)]
    local += [ROOT / t for t in re.findall(r"`((?:genbench|tests|suites|\.ci)/[\w./]+)`",
                                           TEXTS[page])]
    assert [str(target) for target in local if not target.exists()] == []


def test_the_plug_in_is_a_distribution(beside: Path) -> None:
    """Its density integrates to one, and its samples have the entropy that it should give."""
    cls = lookup.load(lookup.describe("model", "circle.py:Circle", beside))
    model = cls(Space("points", (2,)), width=0.3)
    step = 0.02
    axis = torch.arange(-6, 6, step) + step / 2
    grid = torch.stack(torch.meshgrid(axis, axis, indexing="xy"), -1).reshape(-1, 2)
    with torch.no_grad():
        assert float(model.log_prob(grid).exp().sum()) * step**2 == pytest.approx(1, abs=1e-3)
        drawn = model.generate(20_000, Noise(0))
        entropy = math.log(2 * math.pi) + 0.5 * math.log(2 * math.pi * math.e * 0.3**2)
        assert float(-model.log_prob(drawn).mean()) == pytest.approx(entropy, abs=0.03)


def test_the_adversarial_objective_adds_its_term(beside: Path) -> None:
    """The cross-entropy of quarter turns of data, then of samples, with the critic's features."""
    component = lookup.describe("objective", "rotated.py:Rotated", beside)
    assert {"loss", "penalty", "rotation_weight"} <= {option.name for option in component.options}
    torch.manual_seed(0)
    model = gb.model("generator", Space("images", (1, 8, 8), low=-1.0, high=1.0))
    game = lookup.load(component)(model, rotation_weight=0.5, penalty="gradient")
    batch, noise = Batch(Noise(1).uniform("x", 6, 1, 8, 8)), Noise(2)
    turns = noise.integers("turns", 4, 6)
    for player, x in (("critic", batch.x), ("model", model.generate(6, noise))):
        rotated = torch.stack([row.rot90(int(n), (1, 2)) for row, n in zip(x, turns, strict=True)])
        logits = game.classifier(game.network.trunk(rotated))
        expected = -0.5 * logits.log_softmax(1).gather(1, turns[:, None]).mean()
        terms = game.loss(player, model, batch, noise)
        torch.testing.assert_close(terms["rotation"], expected)
    assert game.classifier.weight in set(game.players(model)[0].parameters)
    points = gb.model("generator", Space("points", (2,)))
    with pytest.raises(GenbenchError, match="quarter turns are of images"):
        lookup.load(component)(points)
    (line,) = re.findall(r"`(train: .*rotated\.py:.*)`\.", TEXT)
    suite = (f"datasets: [digits]\nbudget: {{updates: 2}}\nevaluate: [memorisation]\n"
             f"methods: {{rotated: {{model: dcgan, {line}}}}}\n")
    (beside / "suite.yaml").write_text(suite, encoding="utf-8")
    assert load_plan(beside / "suite.yaml").runs


def test_the_metric_measures(beside: Path) -> None:
    """The mean of a set beside that of the test split, as the page says."""
    cls = lookup.load(lookup.describe("metric", "means.py:Means", beside))
    data = gb.dataset("ring")
    scaling = gb.scaling_for(data, "standard", dequantise=False)
    shifted = data.test.x + torch.tensor([3.0, 4.0])
    for given, expected in ((data.test.x, 0.0), (shifted, 5.0)):
        evidence = gb.Evidence(
            data=data, scaling=scaling, model=None, given=given, noise=gb.Noise(0)
        )
        found = cls().measure(evidence)
        assert found.keys() == cls.values.keys()
        assert found["mean_distance"] == pytest.approx(expected, abs=0.1)
        assert cls().protocol(evidence).endswith("-test")


@pytest.mark.sweep
@pytest.mark.parametrize("ending", [".csv", ".npy"])
def test_the_dataset_runs(beside: Path, ending: str) -> None:
    """The README's command, as it stands, on points of either kind of file."""
    written = next(suite for suite in suites() if "table.py:Table" in suite)
    (beside / "measured.yaml").write_text(written.replace(".csv", ending), encoding="utf-8")
    points = np.random.default_rng(0).normal([1, -1, 0], 2.0, (500, 3))
    if ending == ".csv":
        np.savetxt(beside / "points.csv", points, delimiter=",", header="a,b,c")
    else:
        np.save(beside / "points.npy", points)
    [command] = [words(text) for text in written_commands() if "measured.yaml" in text]
    small = ["--limit-updates", "300", "--seeds", "1", "--workers", "1", "--only", "nice"]
    warm.genbench(beside, *command, *small)
    frame = pd.read_csv(beside / "results/measured/working/limited-300/metrics.csv")
    row = frame[(frame.method == "nice") & (frame.metric == "nll")].iloc[0]
    assert row.status == "ok"
    assert row.value == pytest.approx(1.5 * math.log(2 * math.pi * math.e * 4), abs=0.4)


def test_the_figure_is_drawn(beside: Path) -> None:
    """The page's suite, as it stands; a report draws the picture again when its code changes."""
    written = next(suite for suite in suites() if "quantiles.py:Quantiles" in suite)
    (beside / "drawn.yaml").write_text(written, encoding="utf-8")
    [command] = [words(text) for text in written_commands() if "drawn.yaml" in text]
    small = ["--limit-updates", "20", "--seeds", "1"]
    results = beside / "results/drawn/working/limited-20"
    pictures = []
    for line in ([*command, *small, "--workers", "1"], ["report", "drawn.yaml", *small]):
        warm.genbench(beside, *line)
        pictures.append((results / "figures/heights.png").read_bytes())
        assert len(pictures[-1]) > 10_000  # and not the words of an error
        code = (beside / "quantiles.py").read_text(encoding="utf-8")
        (beside / "quantiles.py").write_text(code.replace('"samples")', '"model")'))
    assert pictures[0] != pictures[1]
    text = (results / "report.md").read_text(encoding="utf-8")
    assert "Heights. Percentiles of coordinate 1 of samples" in text


def test_the_plug_in_runs(beside: Path) -> None:
    """The README's commands, as they stand, with a small budget."""
    mine = next(suite for suite in suites() if "circle.py:Circle" in suite)
    (beside / "mine.yaml").write_text(mine, encoding="utf-8")
    commands = [words(text) for text in written_commands() if "mine.yaml" in text]
    assert [name for name, *_ in commands] == ["validate", "run"]
    small = ["--limit-updates", "20", "--seeds", "1", "--workers", "1", "--only", "circle",
             "--only", "rpgan"]
    for command in commands:
        extra = small if command[0] == "run" else []
        warm.genbench(beside, *command, *extra)
    report = beside / "results" / "mine" / "working" / "limited-20"
    text = (report / "report.md").read_text(encoding="utf-8")
    assert "circle" in text
    assert "rpgan" in text
    frame = pd.read_csv(report / "metrics.csv")
    row = frame[(frame.method == "circle") & (frame.metric == "nll")].iloc[0]
    assert row.status == "ok"
    assert 2.3 < row.value < 20


@pytest.mark.parametrize("number", range(len(scripts())))
def test_scripts_run(number: int, beside: Path) -> None:
    """As they are typed, but for the budget of the suite."""
    script = scripts()[number]
    if 'dataset="mnist"' in script and not os.environ.get("GENBENCH_DATA"):
        pytest.skip("MNIST is not here")
    (beside / "suites").mkdir()
    text = (ROOT / "suites/quickstart.yaml").read_text(encoding="utf-8")
    small = re.sub(r"updates: \d+", "updates: 5", text)
    assert small != text
    (beside / "suites/quickstart.yaml").write_text(small, encoding="utf-8")
    np.savez(beside / "samples.npz", np.random.default_rng(0).random((200, 28, 28)))
    done = warm.python(["-c", script], beside)
    assert done.returncode == 0, done.stdout + done.stderr
    if "updates=600" in script:
        nll, gap = map(float, re.findall(r"-?\d+\.\d+", done.stdout))
        assert 0 < gap < 2.5
        assert nll - gap == pytest.approx(2.61, abs=0.1)  # the entropy of the ring


def test_the_shortest_plug_in_trains(beside: Path) -> None:
    (beside / "shift.yaml").write_text(
        "datasets: {ring: {modes: 8}}\nseeds: 1\nbudget: {updates: 20}\nevaluate: [nll]\n"
        + re.search(r"`(methods: \{mine: .*?\}\})`", TEXT, re.DOTALL)[1] + "\n"
    )
    warm.genbench(beside, "run", "shift.yaml", "--workers", "1")


def test_pages_are_shown_by_name(capsys: pytest.CaptureFixture[str]) -> None:
    from genbench.cli import look

    look.docs("suites")
    assert capsys.readouterr().out == TEXTS[ROOT / "genbench/docs/suites.md"]
    look.docs("models")
    assert capsys.readouterr().out == TEXTS[ROOT / "genbench/docs/reference/models.md"]
    look.docs()
    lines = capsys.readouterr().out.splitlines()
    assert all(20 < len(line) < 160 for line in lines), "each says what the page is about"
    assert [line.split()[0] for line in lines] == sorted(
        page.relative_to(ROOT / "genbench/docs").with_suffix("").as_posix() for page in PAGES[1:]
    )
    with pytest.raises(GenbenchError, match="no page 'suits'; did you mean 'suites'"):
        look.docs("suits")
