from __future__ import annotations

import hashlib
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from subprocess import run

import pytest

from genbench.errors import GenbenchError, SuiteError, UnknownName
from genbench.fields import Optimiser
from genbench.suites import methods
from genbench.suites.expand import Plan, find_suite, load_plan
from genbench.suites.former import read_spec
from genbench.suites.spec import RunSpec
from genbench.suites.yaml_source import parse

PlanOf = Callable[..., Plan]


def test_every_run_is_there_in_order_and_filled_in(plan_of: PlanOf, good: str) -> None:
    plan = plan_of(good)
    assert [(r.dataset, r.method, r.seed) for r in plan.runs] == [
        ("points", "real", 0), ("points", "flow", 0), ("points", "flow", 1)
    ]
    spec = plan.runs[1]
    assert spec.model.options == {
        "layers": 4, "base": "gaussian", "window": [0.0, 1.0], "size": "auto"
    }
    assert spec.model.source
    assert spec.data.options == {"spread": 1.0}
    assert spec.stages[0].terms[0].objective.options == {"rate": 0.1}
    assert (spec.updates, spec.batch, spec.ema, spec.scale) == (100, 128, None, "auto")
    assert plan.runs[0].model.name == "real"
    assert plan.runs[0].stages == []
    assert (plan.name, plan.title, plan.values) == ("mine", "A suite", ("depth_k3",))
    assert spec.evaluate[0].options == {"k": 3}
    assert Path(spec.folder) == plan.path.parent
    assert list(plan.methods) == ["flow"]
    assert plan.datasets["points"].kind == "points"
    assert RunSpec(**spec.model_dump(mode="json")) == spec


def test_a_plug_in_s_change_changes_the_id(plan_of: PlanOf, good: str, tmp_path: Path) -> None:
    before = plan_of(good).runs[1]
    parts = tmp_path / "parts.py"
    parts.write_text(parts.read_text() + "\n# changed\n")
    after = load_plan(tmp_path / "mine.yaml").runs[1]
    assert before.model.source != after.model.source
    assert before.id != after.id


PAIR = "def critic(real, fake): ...\nPAIR = (critic, critic)\n"


def test_a_path_of_ones_own_code_is_one_name_however_it_is_written(
    plan_of: PlanOf, good: str, tmp_path: Path
) -> None:
    """Runs that were stored by another spelling are found by today's id (`store.former`)."""
    (tmp_path / "losses.py").write_text(PAIR)
    gan = 'gan: {train: {adversarial: {loss: "losses.py:PAIR"}}}'
    text = good.replace("methods:", f"methods:\n  {gan}")
    other = text.replace("parts.py", "./parts.py").replace("losses.py", ".//losses.py")
    one, two = plan_of(text), plan_of(other)
    assert [spec.id for spec in one.runs] == [spec.id for spec in two.runs]
    assert one.metrics == two.metrics
    for spec in one.runs:
        stored = json.loads(
            json.dumps(spec.model_dump(mode="json")).replace('"parts.py', '"./parts.py')
            .replace('"losses.py', '".//losses.py')
        )
        assert read_spec(stored).id == spec.id


def test_what_does_not_decide_does_not_change_the_id(plan_of: PlanOf, good: str) -> None:
    other = good.replace("A suite", "Another").replace('["parts.py:Depth"]', "[nll]")
    assert [r.id for r in plan_of(good).runs] == [r.id for r in plan_of(other).runs]
    longer = plan_of(good.replace("seeds: 2", "seeds: 5"))
    assert {r.id for r in plan_of(good).runs} < {r.id for r in longer.runs}
    assert plan_of(good.replace("100", "101")).runs[1].id != plan_of(good).runs[1].id


def test_the_id_is_a_hash_of_all_that_decides_sorted(plan_of: PlanOf, good: str) -> None:
    for spec in plan_of(good.replace("seeds: 2", "seeds: [0, 7, 123456789]")).runs:
        text = json.dumps(spec.identity(), sort_keys=True)
        assert spec.hash == hashlib.blake2b(text.encode(), digest_size=16).hexdigest()[:8]
        assert spec.id.endswith(f"--s{spec.seed}--{spec.hash}")


def test_seeds(plan_of: PlanOf, good: str) -> None:
    listed = plan_of(good.replace("seeds: 2", "seeds: [7, 3]"))
    assert [r.seed for r in listed.runs[1:]] == [7, 3]
    assert [r.seed for r in plan_of(good, seeds=3).runs[1:]] == [0, 1, 2]


def test_only(plan_of: PlanOf, good: str) -> None:
    plan = plan_of(good)
    assert [r.seed for r in plan.only(["fl*"]).runs] == [0, 1]
    assert len(plan.only(["points"]).runs) == 3
    name = plan.runs[2].id
    assert [r.id for r in plan.only([name]).runs] == [name]
    assert plan.only([name, "real"]).runs == (plan.runs[0], plan.runs[2]), "in the plan's order"
    with pytest.raises(SuiteError, match="no run matches 'flw'; did you mean 'flow'"):
        plan.only(["real", "flw"])


def test_budgets_override_each_other(plan_of: PlanOf) -> None:
    """Default < zoo < suite < dataset < method."""
    plan = plan_of("""
        datasets: {ring: null, grid: {budget: {updates: 7, batch: 8}}}
        seeds: 1
        budget: {updates: 5}
        real: false
        methods: {wgan-gp: null, mine: {use: wgan-gp, budget: {updates: 9}}}
        evaluate: [nll_gap]
    """)
    assert {(r.dataset, r.method): (r.updates, r.batch) for r in plan.runs} == {
        ("ring", "wgan-gp"): (5, 64), ("ring", "mine"): (9, 64),
        ("grid", "wgan-gp"): (7, 8), ("grid", "mine"): (9, 8),
    }


def test_a_change_of_a_zoo_method_keeps_the_rest(plan_of: PlanOf) -> None:
    plan = plan_of("""
        datasets: ring
        seeds: 1
        budget: {updates: 5}
        methods:
          - wgan-gp
          - mine:
              use: wgan-gp
              model: {latent: 3}
              train: {adversarial: {critic_steps: 2}}
              optimiser: {lr: 0.5}
              optimisers: {critic: {lr: 0.25}}
        evaluate: [nll]
    """)
    published, mine = plan.runs[1], plan.runs[2]
    assert published.stages[0].terms[0].objective.options["critic_steps"] == 5
    theirs, ours = (r.stages[0].terms[0].objective.options for r in (published, mine))
    assert ours == {**theirs, "critic_steps": 2}
    assert mine.model.options == {**published.model.options, "latent": 3}
    assert mine.optimiser == published.optimiser.model_copy(update={"lr": 0.5})
    assert mine.optimisers["critic"] == published.optimiser.model_copy(update={"lr": 0.25})
    assert plan.methods["wgan-gp"].zoo == plan.methods["mine"].zoo == "wgan-gp"
    assert plan.methods["mine"].title == "mine"
    assert plan.methods["mine"].cite == plan.methods["wgan-gp"].cite


def test_what_a_row_cites_is_bibtex_or_known(plan_of: PlanOf, good: str) -> None:
    row = "methods: {{mine: {{use: wgan-gp, cite: {}}}}}"
    text = good[:good.index("methods:")] + "evaluate: [nll]\n"
    assert plan_of(text + row.format("dinh2014nice")).methods["mine"].cite == "dinh2014nice"
    with pytest.raises(SuiteError, match=r"expected BibTeX entries, or keys .*got 'dinh2015'"):
        plan_of(text + row.format("dinh2015"))


def test_a_group_of_a_player_follows_the_player(plan_of: PlanOf, good: str) -> None:
    text = good.replace('"parts.py:Fit"}', '"parts.py:Fit", optimiser: {name: sgd}, '
                        "optimisers: {model: {lr: 0.5}, model.weights: {warmup: 3}}}")
    spec = plan_of(text).runs[1]
    assert spec.optimisers["model.weights"] == Optimiser(name="sgd", lr=0.5, warmup=3)


def test_sums_and_stages(plan_of: PlanOf, good: str) -> None:
    text = good.replace('train: "parts.py:Fit"}', """stages: [
        {train: "parts.py:Fit", share: 0.25},
        {train: ["parts.py:Duel", {"parts.py:Fit": 0.01}]},
        {train: {"parts.py:Duel": {weight: 2, loss: hard}}, updates: 10},
        {train: "parts.py:Duel"}]}""")
    stages = plan_of(text).runs[1].stages
    assert [s.updates for s in stages] == [25, 33, 10, 32]
    assert [(t.objective.name[9:], t.weight) for t in stages[1].terms] == [
        ("Duel", 1.0), ("Fit", 0.01)
    ]
    assert stages[2].terms[0].weight == 2
    assert stages[2].terms[0].objective.options == {"loss": "hard", "steps": 1}


def test_limit_updates_cuts_every_stage_in_proportion(plan_of: PlanOf, good: str) -> None:
    text = good.replace('train: "parts.py:Fit"}', """stages: [
        {train: "parts.py:Fit", share: 0.25}, {train: "parts.py:Duel"}]}""")
    spec = plan_of(text, limit_updates=20).runs[1]
    assert [s.updates for s in spec.stages] == [5, 15]
    assert spec.limited
    assert spec.id != plan_of(text).runs[1].id
    whole = plan_of(text, limit_updates=100).runs[1]
    assert not whole.limited
    assert whole.id == plan_of(text).runs[1].id


def test_a_closed_form_fit_takes_no_updates(plan_of: PlanOf, good: str, tmp_path: Path) -> None:
    text = good + "\nreal: false\n"
    plan_of(text)
    parts = tmp_path / "parts.py"
    parts.write_text(parts.read_text().replace(
        'requires: ClassVar[tuple[str, ...]] = ("density",)', "plays: ClassVar = ()"
    ))
    assert load_plan(tmp_path / "mine.yaml").runs[0].updates == 0


def test_grids_make_rows(plan_of: PlanOf, good: str) -> None:
    text = good.replace('name: "parts.py:Flow"', 'name: "parts.py:Flow", layers: {grid: [2, 8]}')
    text = text.replace("{use: parts.py:Points}",
                        "{use: parts.py:Points, spread: {grid: [1, 2.5]}}")
    plan = plan_of(text + """
report:
  tables:
    - methods: [flow]
      published: {flow: {"depth_k3[points[spread=1]]": 4}}
      columns: ["depth_k3[points[spread=1]]"]
  claims:
    - {id: a, text: b, expect: "depth_k3[flow[layers=2], points[spread=1]] < depth_k3[real]"}
""")
    rows = ["flow[layers=2]", "flow[layers=8]"]
    assert list(plan.methods) == rows
    assert list(plan.datasets) == ["points[spread=1]", "points[spread=2.5]"]
    assert len(plan.runs) == 2 * (1 + 2 * 2)
    assert plan.suite.report.tables[0].methods == rows
    assert list(plan.suite.report.tables[0].published) == rows
    assert len({r.id for r in plan.runs}) == len(plan.runs)


def test_grids_over_budgets_and_several_at_once(plan_of: PlanOf, good: str) -> None:
    text = good.replace("{updates: 100}", "{updates: {grid: [10, 20]}}")
    text = text.replace('"parts.py:Fit"}',
                        '"parts.py:Fit", optimiser: {lr: {grid: [1e-3, 1e-4]}}}')
    plan = plan_of(text)
    assert {(r.updates, r.optimiser.lr) for r in plan.runs[1:]} == {
        (10, 1e-3), (10, 1e-4), (20, 1e-3), (20, 1e-4)
    }
    assert "flow[lr=0.001,updates=10]" in plan.methods


def test_metrics_that_nothing_satisfies_are_warned_of(plan_of: PlanOf, good: str) -> None:
    plan = plan_of(good.replace('"parts.py:Depth"', 'critic_loss, fid, "parts.py:Count_"'))
    assert [w.split(": ", 1)[1] for w in plan.warnings] == [
        "evaluate.critic_loss: no method here trains a critic, so its cells will be empty",
        "evaluate.fid: it is for images, which no dataset here holds, so its cells will be empty",
        "evaluate.parts.py:Count_: no dataset here has modes, so its cells will be empty",
    ]
    assert ".yaml:9: " in plan.warnings[0]
    assert plan_of(good).warnings == ()


@pytest.mark.parametrize(("row", "says"), [
    ("{model: gaussian, train: likelihood}",
     "objective 'likelihood' learns a density that has no bound and nll, bits_per_dim will be "
     "skipped; set `dequantise: true` in this row"),
    ("{model: {name: mixture, component: gaussian}, train: likelihood}", "nll, bits_per_dim will"),
    ("{model: nice, train: adversarial, dequantise: false}",
     "noise between them, nll, bits_per_dim will be skipped; set"),
    ("{model: gaussian, train: likelihood, dequantise: true}", ""),
    ("{model: gaussian, train: likelihood, datasets: [ring]}", ""),
    ("{model: nice, train: likelihood}", ""), ("{model: vae, train: elbo}", ""),
    ("{model: generator, train: adversarial}", ""),
])
def test_a_density_of_grey_levels_is_warned_of(tmp_path: Path, row: str, says: str) -> None:
    suite = tmp_path / "grey.yaml"
    suite.write_text(
        "datasets: [digits, ring]\nbudget: {updates: 3}\nseeds: 1\nmethods:\n"
        f"  mine: {row}\n  flow: {{use: nice}}\n  d: {{use: ddpm, datasets: [digits]}}\n"
        "evaluate: [nll, bits_per_dim, neg_elbo, mode_coverage]\n"
    )
    warnings = load_plan(suite).warnings
    assert len(warnings) == bool(says)
    for line in warnings:
        assert f"{suite}:5: methods.mine: on the grey levels of digits, without " in line
        assert says in line


def test_a_metric_that_wants_more_test_rows_than_there_are_is_warned_of(tmp_path) -> None:
    def warned(size: int) -> tuple[str, ...]:
        suite = tmp_path / "few.yaml"
        suite.write_text(
            "methods: [gaussian-mixture]\n"
            "datasets: [{ring: {test_size: 300}}]\nbudget: {updates: 10}\nseeds: [0]\n"
            f"evaluate: [{{wasserstein1: {{size: {size}}}}}, {{emd: {{size: 400}}}}]\n"
        )
        return load_plan(suite).warnings

    (line,) = warned(301)
    assert line.endswith("evaluate.wasserstein1: size 301 is more than the test_size of ring, so "
                         "its cells there will be empty")
    assert warned(300) == ()


def test_settings_of_the_suite_and_of_a_method(plan_of: PlanOf, good: str) -> None:
    plan = plan_of(good + """
precision: bf16
compile: true
protocol: {samples: 50, sets: 2}
""")
    spec = plan.runs[1]
    assert (spec.precision, spec.compile) == ("bf16", True)
    assert (spec.protocol.samples, spec.protocol.sets) == (50, 2)
    text = good.replace('"parts.py:Fit"}', '"parts.py:Fit", precision: fp32, ema: 0.9, '
                        "scale: standard}") + "precision: bf16\n"
    spec = plan_of(text).runs[1]
    assert (spec.precision, spec.ema, spec.scale) == ("fp32", 0.9, "standard")


def test_suites_are_found_by_name(
    plan_of: PlanOf, good: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan_of(good)
    (tmp_path / "suites").mkdir()
    (tmp_path / "suites" / "toys.yaml").write_text("a: 1")
    monkeypatch.chdir(tmp_path)
    assert find_suite("toys") == Path("suites/toys.yaml")
    assert find_suite("mine.yaml") == Path("mine.yaml")
    with pytest.raises(UnknownName, match="no suite 'tyos'; did you mean 'toys'"):
        find_suite("tyos")
    with pytest.raises(UnknownName, match=r"did you mean 'mine\.yaml'"):
        find_suite("mine")  # the file of one's own, by the name that its results have
    with pytest.raises(UnknownName, match=r"no suite 'zzz\.yaml': there is no such file$"):
        find_suite("zzz.yaml")
    with pytest.raises(UnknownName):
        find_suite("x" * 5000)


def test_counts_from_the_command_line_are_checked(plan_of: PlanOf, good: str) -> None:
    for options in ({"seeds": 0}, {"limit_updates": 0}):
        with pytest.raises(GenbenchError, match="expected a whole number ≥ 1 or None, got 0"):
            plan_of(good, **options)


def test_loading_needs_no_torch_and_little_time(plan_of: PlanOf, good: str) -> None:
    path = plan_of(good).path
    code = (
        f"from genbench.suites.expand import load_plan; load_plan({str(path)!r}); import sys; "
        "sys.exit(any(m in sys.modules for m in ('torch', 'numpy', 'pandas')))"
    )
    assert run([sys.executable, "-c", code], check=False).returncode == 0


def test_many_runs_load_quickly(plan_of: PlanOf, good: str) -> None:
    began = time.perf_counter()
    plan = plan_of(good.replace("seeds: 2", "seeds: 1000"))
    assert len({spec.id for spec in plan.runs}) == 1001
    assert time.perf_counter() - began < 3
def test_a_trial_shares_no_run_with_the_whole_suite(plan_of: PlanOf, good: str) -> None:
    whole, trial = plan_of(good), plan_of(good, limit_updates=3)
    assert all(run.limited for run in trial.runs)
    assert not {run.id for run in whole.runs} & {run.id for run in trial.runs}
    assert {(run.protocol.samples, run.protocol.sets) for run in trial.runs} == {(500, 1)}


@pytest.mark.parametrize("says", ["", "published: true\nnote: A rate."])
def test_a_method_of_the_zoo_is_as_published_or_says_what_differs(
    plan_of: PlanOf, good: str, monkeypatch: pytest.MonkeyPatch, says: str
) -> None:
    entry = f"model: nice\ntrain: likelihood\n{says}\n"
    monkeypatch.setattr(methods, "zoo_source", lambda name: parse(entry, f"{name}.yaml"))
    row = '{model: {name: "parts.py:Flow"}, train: "parts.py:Fit"}'
    with pytest.raises(SuiteError, match=r"gan\.yaml.*: one of the two"):
        plan_of(good.replace(row, "{use: gan}"))
