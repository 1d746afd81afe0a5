"""What a suite can say wrongly: one clear line each, with file and line."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from genbench.errors import PluginError, SuiteErrors
from genbench.suites.expand import Plan, load_plan
from genbench.suites.packages import check_packages

ErrorsOf = Callable[[str], list[str]]

CASES = [
    # (old, new, where, what it says)
    ("seeds: 2", "sedes: 2", ":5: ", "unknown option 'sedes'; did you mean 'seeds'?"),
    ("seeds: 2", "SEEDS: 2", ":5: ", "unknown option 'SEEDS'; did you mean 'seeds'?"),
    ("seeds: 2", "seeds: 0", ":5: seeds: ", "1 to 10000"),
    ("seeds: 2", "looks: [5, 20, 10]", ":5: looks: ", "expected numbers of seeds that increase"),
    ("seeds: 2", "looks: []", ":5: looks: ", "expected numbers of seeds that increase"),
    ("seeds: 2", "looks: [2, 10]", ":5: looks[0]: ", "expected a number ≥ 3, got 2"),
    ("seeds: 2", "looks: 5", ":5: looks: ", "expected a list, got 5"),
    ("seeds: 2", "looks: [3, 6]", ":5: looks: ", "none has an `expect` to test"),
    ("{updates: 100}", "&b {updates: 100, <<: {batch: 3}}", ":6: budget: ",
     "mappings are not merged"),
    ("seeds: 2", "seeds: true", ":5: seeds: ", "got true"),
    ("seeds: 2", "seeds: [1, 2, 1]", ":5: seeds[2]: ", "seed 1 is there twice"),
    ("seeds: 2", "seeds: [1, -2]", ":5: seeds[1]: ", "not -2"),
    ("updates: 100", "updates: -1", ":6: budget.updates: ", "expected a number ≥ 1, got -1"),
    ("seeds: 2", "seeds: 2\nprotocol: {samples: 1}", ":6: protocol.samples: ", "≥ 2, got 1"),
    ("updates: 100", "updates: 0.5", ":6: budget.updates: ", "expected a whole number, got 0.5"),
    ("updates: 100", "updates: '5'", ":6: budget.updates: ", "expected a whole number, got '5'"),
    ("updates: 100", "batch: 3", ":8: methods.flow.budget: ", "how long to train is missing"),
    ("{updates: 100}", "100", ":6: budget: ", "expected a mapping, got 100"),
    ("train:", "budget: {updates: 5, x: 1}, train:", ":8: methods.flow.budget: ",
     "unknown option 'x'; there is batch, updates"),
    ("train:", "lr: 1, train:", ":8: methods.flow: ",
     "unknown option 'lr'; it is one of 'optimiser': write optimiser: {lr: …}"),
    ("train:", "updates: 9, train:", ":8: methods.flow: ", "write budget: {updates: …}"),
    ("seeds: 2", "seeds: 2\ncpus: 4", ":6: ", "write cluster: {cpus: …}"),
    ('{model: {name: "parts.py:Flow"}, train: "parts.py:Fit"}', "{use: nice, couplings: 2}",
     ":8: methods.flow: ",
     "unknown option 'couplings'; it is one of model 'nice': write model: {couplings: …}"),
    ('{model: {name: "parts.py:Flow"}, train: "parts.py:Fit"}', "{use: wgan-gp, critic_steps: 2}",
     ":8: methods.flow: ", "write train: {adversarial: {critic_steps: …}}"),
    ("updates: 100", "updates: 1e23", ":6: budget.updates: ", "expected a whole number below 2⁶³"),
    ("updates: 100", "updates: 1e10", ":6: budget.updates: ", "expected a number ≤ 1,000,000,000"),
    ('Flow"}', 'Flow", size: 9223372036854775808}', ":8: methods.flow.model.size: ", "below 2⁶³"),
    ("title: A suite", 'title: "A\\nsuite"', ":2: title: ", "expected one line of text"),
    ("title: A suite", 'title: "\\e[2J"', ":2: ", "control character '\\x1b' in a text"),
    ("train:", 'title: "a\\nb", train:', ":8: methods.flow.title: ", "expected one line of text"),
    ("  flow:", f"  {'m' * 300}:", f":8: methods.{'m' * 300}: ", "322 characters, and 200 is the"),
    ("  points:", f"  {'p' * 190}:", f":4: datasets.{'p' * 190}: ", "the name is too long"),
    ("train:", "trian:", ":8: methods.flow: ", "unknown option 'trian'; did you mean 'train'?"),
    ("train:", "ema: 2, train:", ":8: methods.flow.ema: ", "expected a number < 1, got 2"),
    ("train:", "scale: logti, train:", ":8: methods.flow.scale: ", "did you mean 'logit'?"),
    ("train:", "scale: logit, train:", ":8: methods.flow.scale: ", "use auto, raw, standard"),
    ("train:", "compile: 1, train:", ":8: methods.flow.compile: ", "true or false, got 1"),
    ("train:", "optimiser: {lr: 0}, train:", ":8: methods.flow.optimiser.lr: ", "number > 0"),
    ("train:", "optimiser: {rate: 1}, train:", ":8: methods.flow.optimiser: ", "there is betas"),
    ("train:", "optimisers: {critic: {lr: 1}}, train:", ":8: methods.flow.optimisers.critic: ",
     "nobody is called 'critic'; the players are model"),
    ("train:", "optimisers: {model.nonsense: {lr: 1}}, train:",
     ":8: methods.flow.optimisers.model.nonsense: ", "no group of parameters 'nonsense'"),
    ('{model: {name: "parts.py:Flow"}, train: "parts.py:Fit"}',
     "{use: nice, optimisers: {model.scales: {lr: 1}}}",
     ":8: methods.flow.optimisers.model.scales: ", "did you mean 'scale'?"),
    ("train:", "optimiser: {name: sgd, betas: [0.5, 0.9]}, train:",
     ":8: methods.flow.optimiser.betas: ", "sgd has no betas; adam and adamw have"),
    ("train:", "optimisers: {model: {momentum: 0.5}}, train:",
     ":8: methods.flow.optimisers.model.momentum: ", "adam has no momentum"),
    ('{model: {name: "parts.py:Flow"}, train: "parts.py:Fit"}', "{use: gan, budget: {batch: 1}}",
     ":8: methods.flow: ", "batch norm needs two examples in a batch at least"),
    ('{model: {name: "parts.py:Flow"}, train: "parts.py:Fit"}', "{use: mmd, budget: {batch: 1}}",
     ":8: methods.flow: ", "its batch on dataset 'points' is 1"),
    ("train:", "datasets: [pints], train:", ":8: methods.flow.datasets[0]: ",
     "did you mean 'points'?"),
    ("train:", "published: true, train:", ":8: methods.flow.published: ", "zoo's methods alone"),
    ("train:", "stages: [], train:", ":8: methods.flow.stages: ", "exclude each other"),
    ('Flow"}', 'Flow", layrs: 3}', ":8: methods.flow.model: ",
     "unknown option 'layrs'; did you mean 'layers'?"),
    ('Flow"}', 'Flow", layers: x}', ":8: methods.flow.model.layers: ", "got 'x'"),
    ('Flow"}', 'Flow", layers: true}', ":8: methods.flow.model.layers: ", "got true"),
    ('Flow"}', 'Flow", base: gausian}', ":8: methods.flow.model.base: ",
     "expected one of gaussian, logistic, got 'gausian'; did you mean 'gaussian'?"),
    ('Flow"}', 'Flow", window: [1]}', ":8: methods.flow.model", "missing"),
    ('Flow"}', 'Flow", size: [1]}', ":8: methods.flow.model.size: ",
     "expected a whole number or text, got [1]"),
    ('{name: "parts.py:Flow"}', "nise", ":8: methods.flow.model: ", "no model 'nise'; did you"),
    ('{name: "parts.py:Flow"}', "[nice]", ":8: methods.flow.model: ", "a model's name"),
    ('{name: "parts.py:Flow"}', "{layers: 3}", ":8: methods.flow.model: ", "name"),
    ('{name: "parts.py:Flow"}', '"parts.py:Flo"', ":8: methods.flow.model: ",
     "parts.py holds no class Flo(Model)"),
    ('{name: "parts.py:Flow"}', '"part.py:Flow"', ":8: methods.flow.model: ", "no file part.py"),
    ('{name: "parts.py:Flow"}', "generator", ":8: methods.flow.train: ",
     "needs a model with exact density, and 'generator' has latent code"),
    ('{name: "parts.py:Flow"}, train: "parts.py:Fit"',
     '"parts.py:Sampler", train: "parts.py:Duel"', ":8: methods.flow: ",
     "for images, and dataset 'points' holds points"),
    ('{name: "parts.py:Flow"}, train: "parts.py:Fit"',
     '"parts.py:Labelled", train: "parts.py:Duel"', ":8: methods.flow: ",
     "needs labels, and dataset 'points' has none"),
    ('"parts.py:Fit"', '{"parts.py:Fit": {rat: 1}}', ":8: methods.flow.train.parts.py:Fit: ",
     "unknown option 'rat'; did you mean 'rate'?"),
    ('"parts.py:Fit"', '{"parts.py:Fit": {rate: -1}}', ":8: ", "expected a number > 0, got -1"),
    ('"parts.py:Fit"', '{"parts.py:Fit": .nan}', ":8: ", "weight"),
    ('"parts.py:Fit"', '{"parts.py:Fit": 0}', ":8: methods.flow.train: ", "every weight here is"),
    ('{model: {name: "parts.py:Flow"}, train: "parts.py:Fit"}',
     "{use: flow-gan, stages: [{train: likelihood, updates: 9}, {train: adversarial}]}",
     ":8: methods.flow.stages[0]: ", "write {likelihood: 1}"),
    ('"parts.py:Fit"', '["parts.py:Fit", "parts.py:Fit"]', ":8: methods.flow.train: ", "twice"),
    ('"parts.py:Fit"', "likelyhood", ":8: methods.flow.train: ", "did you mean 'likelihood'?"),
    ('"parts.py:Fit"', "3", ":8: methods.flow.train: ", "expected an objective's name"),
    ('"parts.py:Fit"', "[]", ":8: methods.flow.train: ", "no objective"),
    ('{model: {name: "parts.py:Flow"}, train: "parts.py:Fit"}', "{use: gann}",
     ":8: methods.flow.use: ", "no method 'gann'; did you mean 'gan'?"),
    ('{model: {name: "parts.py:Flow"}, train: "parts.py:Fit"}', "7", ":8: methods.flow: ",
     "expected a mapping of options, got 7"),
    ("  flow:", "  real:", ":8: methods.real: ", "give the method another name"),
    ("  flow:", "  a/b:", ":8: methods.a/b: ", "cannot name a row: it holds '/'"),
    ("  flow:", "  a|b:", ":8: methods.a|b: ", "it holds '|', and a name is made of letters"),
    ("  flow:", "  50%:", ":8: methods.50%: ", "it holds '%'"),
    ("  flow:", "  R&D:", ":8: methods.R&D: ", "it holds '&'"),
    ("  flow:", '  "a #2":', ":8: methods.a #2: ", "it holds '#'"),
    ("datasets:\n", "datasets:\n  mine: {}\n", ":4: datasets.mine: ",
     "or a class of your own, my_file.py:MyDataset"),
    ("{use: parts.py:Points}", "{use: rnig}", ":4: datasets.points: ", "did you mean 'ring'?"),
    ("{use: parts.py:Points}", "{use: ring, mods: 3}", ":4: datasets.points: ",
     "unknown option 'mods'; did you mean 'modes'?"),
    ("{use: parts.py:Points}", "{use: ring, modes: 0}", ":4: datasets.points.modes: ", "≥ 1"),
    ("{use: parts.py:Points}", "{use: ring, modes: {grid: []}}", ":4: datasets.points.modes: ",
     "{grid: [a, b, …]}"),
    ("{use: parts.py:Points}", "{use: ring, modes: {grid: [2, 2]}}", ":4: ", "twice"),
    ('"parts.py:Depth"', "nlll", ":9: evaluate[0]: ", "did you mean 'nll'?"),
    ('"parts.py:Depth"', '{"parts.py:Depth": {j: 3}}', ":9: evaluate[0].parts.py:Depth: ",
     "unknown option 'j'; there is k"),
    ('"parts.py:Depth"', "nll, nll", ":9: evaluate[1]: ", "metric 'nll' is there twice"),
    ('["parts.py:Depth"]', "[]", ":9: evaluate: ", "there is no metric here"),
    ('evaluate: ["parts.py:Depth"]', "", ":2: ", "'evaluate' is missing"),
]


@pytest.mark.parametrize(("old", "new", "where", "says"), CASES)
def test_one_clear_line(
    errors_of: ErrorsOf, good: str, old: str, new: str, where: str, says: str
) -> None:
    assert good.count(old) == 1
    errors = errors_of(good.replace(old, new))
    assert len(errors) == 1, errors
    assert errors[0].startswith("mine.yaml" + where), errors[0]
    assert says in errors[0]
    assert "\n" not in errors[0]


REPORT = [
    ("tables: [{columns: [nll]}]", "tables[0].columns[0]: 'nll' is not among what is evaluated"),
    ('tables: [{columns: ["depth_k3[rng]"]}]', "no dataset row 'rng'; there is points"),
    ("tables: [{dataset: pointss}]", "no dataset row 'pointss'; did you mean 'points'?"),
    ("tables: [{methods: [flw]}]", "no method row 'flw'; did you mean 'flow'?"),
    ("tables: [{against: flw}]", "tables[0].against: no method row 'flw'; did you mean 'flow'?"),
    ("tables: [{against: real}]", "the row 'real' has no training seeds to compare with"),
    ("tables: [{published: {flw: {depth_k3: 1}}}]", "no method row 'flw'; did you mean"),
    ("tables: [{published: {flow: {depth: 1}}}]", "did you mean 'depth_k3'?"),
    ("tables: [{published: {flow: {depth_k3: x}}}]", "expected a number or a mapping, got 'x'"),
    ("tables: [{published: {flow: {depth_k3: .nan}}}]", "expected a finite number"),
    ("figures: [sample]", "did you mean 'samples'?"),
    ("figures: [none, curves]", "`none` cannot stand beside other kinds"),
    ('claims: [{id: a, text: b, expect: "depth_k3[flow] <"}]', "claims[0].expect: "),
    ('claims: [{id: a, text: b, expect: "depth_k3[flw] < 3"}]', "no method row 'flw'; did you"),
    ('claims: [{id: a, text: b, expect: "nll[flow] < 3"}]', "'nll' is not among"),
    ('claims: [{id: a, text: b, expect: "depth_k3[flow, rng] < 3"}]', "no dataset row 'rng'"),
    ("claims: [{id: a, text: b}]", "needs one of `expect`, `identity` and `unjudged`"),
    ('claims: [{id: a, text: b, expect: "depth_k3[flow] < 3", unjudged: c}]', "more than one of"),
    ('claims: [{id: a, text: b, identity: "depth_k3[flow] = 3"}]', "expected '= VALUE within TOL"),
    ('claims: [{id: a, text: b, identity: "depth_k3[flow] = log(0) within 1"}]', "'log(0)'"),
    ('claims: [{id: a, text: b, identity: "depth_k3[flow] = x within 1"}]', "got 'x'"),
    ('claims: [{id: a, text: b, identity: "depth_k3[flw] = 3 within 1"}]', "no method row 'flw'"),
    ('claims: [{id: a, text: b, margin: 1}]', "needs one of"),
    ('claims: [{id: a, text: b, expect: "depth_k3[flow] < 3", margin: 0}]', "number > 0"),
    ('claims: [{id: a, text: b, expect: "depth_k3[flow] < 3", margin: -1}]', "number > 0"),
    ('claims: [{id: a, text: b, expect: "depth_k3[flow] < 3", margin: {}}]', "`factor`, and not"),
    ('claims: [{id: a, text: b, expect: "depth_k3[flow] < 3", margin: {factor: 1}}]', "> 1"),
    ('claims: [{id: a, text: b, expect: "depth_k3[flow] ~= 3 within 1", margin: 1}]', "takes no"),
    ('claims: [{id: a, text: b, identity: "depth_k3[flow] = 3 within 1", margin: 1}]', "takes no"),
    ('claims: [{id: a, text: b, expect: "depth_k3[flow] < 3 on logs", margin: 1}]', "a factor"),
    ('claims: [{id: a, text: b, expect: "depth_k3[flow] > -3", margin: {factor: 2}}]', "of two"),
    ('claims: [{id: a, text: b, expect: "std(depth_k3[flow]) < 3"}]', "expected std(metric[row])"),
    ('claims: [{id: a, text: b, expect: "depth_k3[flow] < 3 and x[flow] < 1"}]', "'x' is not"),
    ('targets: [{cell: "depth_k3[flow]"}]', "`at_most` or `at_least`"),
    ('targets: [{cell: "depth_k3[flow]", at_most: 1, at_least: 0}]', "and not both"),
    ('targets: [{cell: "depth_k3[flw]", at_most: 1}]', "did you mean 'flow'?"),
    ('targets: [{cell: "depth_k3", at_most: 1}]', "targets[0].cell: "),
    ("figures: [{kind: density, title: a, methods: [flw]}]", "did you mean 'flow'?"),
    ("figures: [{kind: density, title: a, dataset: rng}]", "no dataset row 'rng'"),
    ("figures: [{kind: density, title: a, terms: [\"model: nll\"]}]",
     "'terms': it is for figures of kind curves"),
    ("figures: [{kind: curves, title: a, terms: [nll]}]", "expected a player and a term"),
    ("figures: [{kind: density}]", "title"),
    ('figures: [{kind: curves, title: a, terms: ["modle: nll"]}]', "is called 'modle'; did"),
    ("figures: [{kind: critic, title: a, methods: [real]}]", "in no figure of kind 'critic'"),
    ("figures: [{kind: samples, title: a, by_component: true}]", "is for samples of images"),
    ("figures: [{kind: samples, title: A b}, {kind: density, title: a-B}]",
     "drawn into figures/a-b.png, as is 'A b'; give it another title"),
    ("figures: [{kind: sweep, title: a}]", "'columns' is missing"),
    ("figures: [{kind: sweep, title: a, columns: [dept]}]", "'dept' is not among"),
    ("figures: [{kind: sweep, title: a, columns: [loss_mean]}]", "'loss_mean' is not among"),
    ("figures: [{kind: sweep, title: a, columns: [depth_k3]}]", "here is neither"),
    ("figures: [{kind: curves, title: a, axis: b}]", "'axis': it is for figures of kind sweep"),
    ("figures: [{kind: curves, title: a, axes: b}]", "'axes'; there is caption, dataset, kind"),
    ("figures: [{kind: curves, title: a, terms: 3}]", "expected a list, got 3"),
    ("figures: [{kind: density, title: a, kin: 3}]", "unknown option 'kin'; did you mean 'kind'"),
    ("figures: [sweep]", "needs columns: write {kind: sweep, title: …, columns: …}"),
    ("figures: [turn]", "the figure 'turn' is for images, which no dataset here holds"),
    ("figures: [\"parts.py:Flow\"]", "parts.py holds no class Flow(FigureKind)"),
    ("figures: [{kind: surface, title: a}]", "no figure 'surface'"),
    ("figures: [{kind: turn, title: a}]", "is for images, and 'points' holds points"),
    ("figures: [density, {kind: density, title: density points}]", "as is the density of points"),
]


@pytest.mark.parametrize(("report", "says"), REPORT)
def test_reports_name_what_is_there(
    errors_of: ErrorsOf, good: str, report: str, says: str
) -> None:
    errors = errors_of(f"{good}report:\n  {report}\n")
    assert len(errors) == 1, errors
    assert errors[0].startswith("mine.yaml:11: report.")
    assert says in errors[0]


@pytest.mark.parametrize(("report", "says"), [
    ("figures: [{kind: density, titel: a}]", ["unknown option 'titel'; did you mean 'title'?"]),
    ("figures: [{knd: density, title: a}]", ["unknown option 'knd'; did you mean 'kind'?"]),
    ("figures: [{kind: density, foo: 1}]",
     ["unknown option 'foo'; there is caption, dataset, kind, methods, title",
      "'title' is missing"]),
    ("figures: [{kind: curves, axis: b}]",
     ["unknown option 'axis': it is for figures of kind sweep", "'title' is missing"]),
    ("claims: [{idd: a, text: b}]", ["unknown option 'idd'; did you mean 'id'?"]),
])
def test_a_bad_key_goes_before_what_is_missing_for_it(
    errors_of: ErrorsOf, good: str, report: str, says: list[str]
) -> None:
    errors = errors_of(f"{good}report:\n  {report}\n")
    assert [error.partition("]: ")[2] for error in errors] == says


def test_the_example_of_the_design(errors_of: ErrorsOf) -> None:
    assert errors_of("""
        datasets: ring
        budget: {updates: 5}
        methods:
          wgan-gp:
            train:
              adversarial:
                critic_stepz: 3
        evaluate: [nll]
    """) == [
        "mine.yaml:8: methods.wgan-gp.train.adversarial: unknown option 'critic_stepz'; "
        "did you mean 'critic_steps'?"
    ]


def test_several_problems_are_all_shown_in_order(errors_of: ErrorsOf, good: str) -> None:
    text = good.replace("seeds: 2", "seeds: -1").replace('Flow"}', 'Flow", layrs: 3}')
    text = text.replace('["parts.py:Depth"]', "[nlll]")
    errors = errors_of(text)
    assert [error.split(":")[1] for error in errors] == ["5", "8", "9"]


def test_stages_that_ask_for_too_much(errors_of: ErrorsOf, good: str) -> None:
    for stages, says in [
        ("{train: A, share: 0.7}, {train: A, share: 0.7}", "exceed 1"),
        ("{train: A, updates: 700}, {train: A}", "more than the budget of 100"),
        ("{train: A, updates: 7, share: 0.5}", "exclude each other"),
        ("{train: A, share: 7}", "number ≤ 1, got 7"),
    ]:
        text = good.replace('train: "parts.py:Fit"', f"stages: [{stages}]")
        errors = errors_of(text.replace("train: A", 'train: "parts.py:Fit"'))
        assert len(errors) == 1
        assert says in errors[0]


def test_a_broken_plug_in_shows_its_own_error(
    errors_of: ErrorsOf, good: str, tmp_path: Path
) -> None:
    for text, says in [
        ("class Flow(Model):\n  x: Thing = 1\n", "'Thing' is not a type"),
        ("class Flow(Model):\n  x: int = f()\n", "must be a literal, not 'f()'"),
        ("class Flow(Model):\n  accepts = 'points'\n", "must be a tuple"),
        ("class Flow(Model:\n", "SyntaxError"),
        ("class Flow(Model):\n  cite = '@misc{a, title={x}'\n", "broken.py: cite: a brace of"),
        ("class Flow(Model):\n  cite = 'nobody2020'\n", "'nobody2020' is no key of genbench's"),
    ]:
        methods = "  def build(self, space): ...\n  def generate(self, n, noise): ...\n"
        (tmp_path / "broken.py").write_text(text + methods)
        errors = errors_of(good.replace("parts.py:Flow", "broken.py:Flow"))
        assert len(errors) == 1
        assert says in errors[0]
    for values, says in [
        ("{'m{k}': {}}", "KeyError: 'k'"), ("{'m': {'title': 'at {k}'}}", "KeyError: 'k'"),
        ("{'m': 3}", "`values` does not make sense; give 'm' a mapping"),
        ("{}", "a metric needs `values = {"),
        ("{'m': {'better': 'less'}}", "better is one of lower, higher, target, none, not 'less'"),
        ("{'m': {'target': 1.0}}", "write target as a text, \"1.0\", not 1.0"),
        ("{'m': {'units': 'nats'}}", "unknown 'units'; did you mean 'unit'?"),
    ]:
        metric = f"class Odd(Metric):\n  values = {values}\n  def measure(self, evidence): ...\n"
        (tmp_path / "odd.py").write_text(metric)
        errors = errors_of(re.sub("evaluate: .*", 'evaluate: ["odd.py:Odd"]', good))
        assert len(errors) == 1
        assert says in errors[0]


def test_rows_that_would_share_a_folder(errors_of: ErrorsOf, good: str) -> None:
    flow = '{model: {name: "parts.py:Flow"}, train: "parts.py:Fit"}'
    errors = errors_of(good.replace(f"  flow: {flow}", f"  a b: {flow}\n  a_b: {flow}"))
    assert "differ too little" in errors[0]


def test_nested_parts_are_checked_too(errors_of: ErrorsOf) -> None:
    text = """
        datasets: ring
        budget: {{updates: 5}}
        methods:
          mix: {{model: {{name: mixture, {options}}}, train: likelihood}}
        evaluate: [nll]
    """
    for options, says in [
        ("component: nise", "mix.model.component: no model 'nise'; did you mean 'nice'?"),
        ("component: generator", "mix.model.component: 'generator' cannot be mixed"),
        ("component_options: {coupling: 3}", "unknown option 'coupling'; did you mean"),
    ]:
        errors = errors_of(text.format(options=options))
        assert len(errors) == 1
        assert says in errors[0]


def test_a_density_of_grey_levels_has_no_bound(errors_of: ErrorsOf) -> None:
    text = """
        datasets: [digits, ring]
        budget: {updates: 5}
        methods: {nice: {train: TRAIN, dequantise: false}}
        evaluate: [nll]
    """
    [error] = errors_of(text.replace("TRAIN", "likelihood"))
    assert error.startswith("mine.yaml:4: methods.nice.dequantise: objective 'likelihood' learns")
    assert "dataset 'digits'; leave `dequantise` out" in error
    watched = errors_of(text.replace("TRAIN", "{adversarial: 1, likelyhood: 0}"))
    assert len(watched) == 1  # the slip alone: a critic needs no density


def test_a_fitted_model_is_not_trained_by_gradients(errors_of: ErrorsOf) -> None:
    errors = errors_of("""
        datasets: ring
        budget: {updates: 5}
        methods: {mix: {model: gaussian_mixture, train: likelihood}}
        evaluate: [nll]
    """)
    assert "train it with em" in errors[0]


def test_many_problems_are_found_quickly_and_the_first_shown(
    write: Callable[[str], Path], good: str
) -> None:
    rows = "".join(f"  m{i}: {{use: gann}}\n" for i in range(5000))
    began = time.perf_counter()
    with pytest.raises(SuiteErrors) as caught:
        load_plan(write(good.replace("evaluate", f"{rows}evaluate")))
    assert time.perf_counter() - began < 10
    lines = str(caught.value).splitlines()
    assert len(lines) == 21
    assert lines[-1] == "… and 4980 more"


def test_rows_may_be_called_as_people_write(plan_of: Callable[..., Plan], good: str) -> None:
    """Accents however they are typed, every script, and words that claims have too."""
    for name in ("e\u0301te\u0301", "流", "नमूना", "flow and em", "x (v1.2) @home"):
        claim = f'report: {{claims: [{{id: a, text: b, expect: "depth_k3[{name}] < 3"}}]}}'
        plan = plan_of(good.replace("  flow:", f"  {name}:") + claim)
        assert list(plan.methods) == [name]


LABELS = """
title: Labels
datasets: {digits: {}}
budget: {updates: 5}
methods:
  cgan: {train: TRAIN}
evaluate: [class_accuracy]
"""


@pytest.mark.parametrize("train", ["mmd", "class_adversarial", "[{adversarial: 0}, mmd]"])
def test_a_conditional_model_needs_an_objective_that_looks_at_labels(
    errors_of: ErrorsOf, train: str
) -> None:
    (problem,) = errors_of(LABELS.replace("TRAIN", train))
    assert problem.startswith("mine.yaml:6: methods.cgan.train: ")
    assert "does not look at labels" in problem


@pytest.mark.parametrize("train", ["adversarial", "[adversarial, {mmd: 0.1}]"])
def test_an_objective_that_looks_at_labels_may_have_company(
    write: Callable[[str], Path], train: str
) -> None:
    load_plan(write(LABELS.replace("TRAIN", train)))


OWN_LOSS = """
title: A loss
datasets: {ring: {}}
budget: {updates: 5}
methods:
  gan: {train: {adversarial: {loss: LOSS}}}
evaluate: [mode_coverage]
"""


@pytest.mark.parametrize(("loss", "says"), [
    ("hing", "hinge, reverse_kl or your own, my_file.py:NAME (`genbench docs extending/loss` "
             "shows one), got 'hing'; did you mean 'hinge'?"),
    ("vanilla", "expected one of minimax, non_saturating"),
    ("'own.py:PAIR'", "loss 'own.py:PAIR': there is no file own.py"),
    ("'parts.py:PAIR'", "loss 'parts.py:PAIR': parts.py defines no PAIR"),
])
def test_a_loss_that_there_is_not(errors_of: ErrorsOf, loss: str, says: str) -> None:
    (problem,) = errors_of(OWN_LOSS.replace("LOSS", loss))
    assert problem.startswith("mine.yaml:6: methods.gan.train.adversarial.loss: ")
    assert says in problem


def test_the_source_of_a_loss_is_part_of_a_runs_id(
    write: Callable[[str], Path], tmp_path: Path
) -> None:
    path = write(OWN_LOSS.replace("LOSS", "'own.py:PAIR'"))
    ids = []
    for text in ("PAIR = (min, max)", "PAIR = (max, min)"):
        (tmp_path / "own.py").write_text(text)
        ids.append({run.id for run in load_plan(path).runs})
    assert len(ids[0] & ids[1]) == 1  # the real row


def test_a_package_that_is_missing_is_said(
    plan_of: Callable[..., Plan], good: str, tmp_path: Path
) -> None:
    flow = "from genbench.models.base import Model\n\n\nclass Flow(Model):\n"
    flow += "    build = generate = None\n    def log_prob(self, x): ...\n"
    text = good.replace("parts.py:Flow", "own.py:Flow")
    for head, line in (("import no_such_package.inner", 1), ("from no_such_package import x", 1),
                       ("import math\nimport os, no_such_package", 2)):
        (tmp_path / "own.py").write_text(f"{head}\n{flow}")
        with pytest.raises(PluginError, match=rf"own\.py:{line}: model .* 'no_such_package'"):
            check_packages(plan_of(text))
    optional = "try:\n    import no_such_package\nexcept ImportError:\n    pass\n"
    (tmp_path / "own.py").write_text(optional + flow)
    check_packages(plan_of(text))
