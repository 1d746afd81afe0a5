from __future__ import annotations

from genbench.reporting.origins import Origin, mixed_rows
from genbench.reporting.report import build
from genbench.store.runs import Store


def origin(seed, **facts):
    known = {"torch": "2.14.1", "device": "cpu (x86_64)", **facts}
    return Origin("gan", "ring", seed, {name: (value,) for name, value in known.items()})


def test_seeds_that_were_made_alike_need_no_note():
    assert mixed_rows([origin(0), origin(1)]) == {}
    # a commit changes no number
    assert mixed_rows([origin(0, commit="a"), origin(1, commit="b")]) == {}


def test_what_differs_is_said_with_the_seeds():
    rows = mixed_rows([
        origin(0), origin(2), origin(1, torch="2.11.0", device="cuda (H200)"),
        Origin("nice", "ring", 0, {"torch": ("2.9.0",)}),
    ])
    assert rows == {("gan", "ring"): (
        "its seeds were not made alike: torch 2.11.0 (seed 1), 2.14.1 (seeds 0, 2); "
        "device cpu (x86_64) (seeds 0, 2), cuda (H200) (seed 1)"
    )}


def test_the_processor_counts_where_it_computes():
    on_cpu = mixed_rows([origin(0, CPU="A"), origin(1, CPU="B")])
    assert "CPU A (seed 0), B (seed 1)" in on_cpu["gan", "ring"]
    assert mixed_rows([
        origin(0, CPU="A", device="cuda (H200)"), origin(1, CPU="B", device="cuda (H200)"),
    ]) == {}


def test_a_run_that_went_on_elsewhere_was_not_made_as_one_that_did_not():
    moved = origin(0)._replace(facts={"torch": ("2.11.0", "2.14.1")})
    [text] = mixed_rows([moved, origin(1)]).values()
    assert "torch 2.11.0, then 2.14.1 (seed 0), 2.14.1 (seed 1)" in text


def test_the_report_names_all_who_worked_on_a_run(fake, tmp_path, monkeypatch):
    plan, store = fake.make_plan(tmp_path), Store(tmp_path / "results")
    fake.fill(plan, store)
    sealed = store.run(plan.runs[0].id).provenance()
    with store.claim(plan.runs[0].id) as run:
        run.write_provenance({**sealed, "git": {"commit": "f" * 40, "dirty": False}})
        run.seal()
    text = build(plan, store, tmp_path / "out").read_text()
    [line] = [line for line in text.splitlines() if line.startswith("| commit |")]
    assert "ffffffffffff" in line
    assert sealed["git"]["commit"][:12] in line


def test_the_report_marks_such_rows(fake, tmp_path, monkeypatch):
    monkeypatch.setattr("genbench.store.files.os.fsync", lambda handle: None)
    plan = fake.make_plan(tmp_path)
    store = Store(tmp_path / "results")
    fake.fill(plan, store)
    spec = next(s for s in plan.runs if s.method == "nice" and s.dataset == "ring" and s.seed == 1)
    other = Store(tmp_path / "elsewhere")
    monkeypatch.setattr(fake, "VERSIONS", {"python": "3.11.7", "torch": "2.11.0"})
    fake.write_run(spec, other)
    store.run(spec.id).path.rename(tmp_path / "aside")
    other.run(spec.id).path.rename(store.run(spec.id).path)
    text = build(plan, store, tmp_path / "out").read_text()
    [line] = [line for line in text.splitlines() if line.startswith("| NICE (EMA)⁽")]
    assert "its seeds were not made alike: torch 2.11.0 (seed 1), 2.14.1 (seed" in text
    assert not any(line.startswith("| GAN⁽") for line in text.splitlines())
    assert line
