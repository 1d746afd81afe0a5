"""Results are accepted here, and read, checked and added to where nothing was trained."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import warm

import genbench as gb
from genbench.errors import StoreError
from genbench.store.acceptance import Acceptance
from genbench.store.accepted import AcceptedRuns, members_of
from genbench.store.runs import RunFolder

ROOT = Path(gb.__file__).parents[1]
SUITE = "results/tiny"
CLAIM = """\
report:
  claims: [{id: a, text: A flow is better, expect: "modes_covered[flow] > modes_covered[gan]"}]
"""


@pytest.fixture(autouse=True)
def inside(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    monkeypatch.setenv("GENBENCH_CACHE", str(folder / "cache"))


@pytest.fixture
def clone(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[[], Path]:
    """clone(): another folder, with what git holds of this one."""

    def made() -> Path:
        other = tmp_path_factory.mktemp("clone")
        ours = shutil.ignore_patterns("runs", "working", "suite.txt", "cache", ".*")
        return Path(shutil.copytree(folder, other, dirs_exist_ok=True, ignore=ours))

    return made


def tracked(folder: Path, suite: str = "tiny") -> dict[str, bytes]:
    """Every file of a suite's results that git holds."""
    root = folder / "results" / suite
    return {
        str(path.relative_to(root)): path.read_bytes() for path in sorted(root.rglob("*"))
        if path.is_file() and path.name != "suite.txt"
        and not {"runs", "working"} & set(path.parts)
    }


def other_cache(folder: Path) -> dict[str, str]:
    return {"GENBENCH_CACHE": str(folder / "cache")}


@pytest.mark.usefixtures("finished")
def test_accepting_writes_the_page_of_all_claims(genbench, folder: Path, clone) -> None:
    suite = folder / "tiny.yaml"
    suite.write_text(suite.read_text() + CLAIM)
    done = genbench("accept", "tiny.yaml")
    assert done.stdout.endswith("claims: results/claims.md\n")
    assert not done.stderr
    pages = [folder / "results" / name for name in ("claims.md", "claims.csv")]
    before = [page.read_bytes() for page in pages]
    assert b"| [tiny](tiny/report.md) | INCONCLUSIVE" in before[0]
    assert b"| 2 |\n" in before[0]
    assert b",accepted runs\n" in before[1]

    # what is stored here and not accepted says nothing, and neither does what git does not hold
    asked = suite.read_text()
    suite.write_text(asked.replace("seeds: 2", "seeds: 3"))
    genbench("run", "tiny.yaml", "--only", "gan")
    suite.write_text(asked)
    genbench("claims", "--write")
    assert [page.read_bytes() for page in pages] == before
    there = clone()
    for page in pages:
        (there / page.relative_to(folder)).unlink()
    warm.genbench(there, "claims", "--write", **other_cache(there))
    assert [(there / page.relative_to(folder)).read_bytes() for page in pages] == before


@pytest.mark.usefixtures("finished")
def test_accepting_says_what_is_not_on_the_page_of_claims(genbench, folder: Path) -> None:
    suite = folder / "tiny.yaml"
    (folder / "far").mkdir()
    (folder / "far/tiny.yaml").write_text(suite.read_text() + CLAIM)
    suite.unlink()
    said = genbench("accept", "far/tiny.yaml").stderr
    assert said == ("warning: results/claims.md has no claims of far/tiny.yaml: it is of suites "
                    "beside results, in suites, and of those that come with genbench\n")
    page = folder / "results/claims.md"
    before = page.read_bytes()
    assert b"[tiny]" not in before
    # another suite's damage stands in its own report's way alone
    shutil.copytree(folder / "results/tiny/accepted", folder / "results/ci/accepted")
    archive = next((folder / "results/ci/accepted").iterdir())
    archive.write_bytes(archive.read_bytes()[:-9])
    (folder / "suites").mkdir()
    (folder / "suites/ci.yaml").write_text((folder / "far/tiny.yaml").read_text())
    said = genbench("accept", "far/tiny.yaml").stderr
    assert "warning: results/claims.md is not written anew: results/ci/accepted/" in said
    assert page.read_bytes() == before


@pytest.mark.usefixtures("finished")
def test_a_clone_rebuilds_every_byte_and_reads_what_was_accepted(
    genbench, folder: Path, clone
) -> None:
    done = genbench("accept", "tiny.yaml").stdout
    assert "results/tiny/accepted: 5 runs, 5 of them written" in done
    assert "report: results/tiny/report.md" in done
    accepted = tracked(folder)
    assert "accepted on 2" in accepted["report.md"].decode()
    assert "0 of them written" in genbench("accept", "tiny.yaml").stdout
    assert tracked(folder) == accepted, "again changes nothing"

    there = clone()
    for name in ("report.md", "metrics.csv", "figures"):
        path = there / SUITE / name
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    warm.genbench(there, "report", "tiny.yaml", **other_cache(there))
    assert tracked(there) == accepted
    here = genbench("table", "tiny.yaml").stdout
    assert warm.genbench(there, "table", "tiny.yaml", **other_cache(there)).stdout == here
    [run] = [path.stem for path in Path(SUITE, "accepted").glob("flow--ring--s0--*")]
    shown = warm.genbench(there, "show", run, **other_cache(there)).stdout
    assert "accepted:" in shown
    assert "repeat: (the suite tiny.yaml is no longer in its folder)" in shown
    refused = warm.genbench(
        there, "sample", run, "--out", "x.npz", check=2, **other_cache(there)
    ).stderr
    assert "is an accepted result, and those hold no checkpoint" in refused
    assert "checkpoint" not in {path.stem for path in there.rglob("*")}
    compared = warm.genbench(there, "compare", "tiny.yaml", "tiny.yaml", **other_cache(there))
    assert "nll" in compared.stdout


@pytest.mark.usefixtures("finished")
def test_a_run_changes_no_tracked_file(genbench, folder: Path) -> None:
    def git(*words: str) -> str:
        identity = ("-c", "user.name=x", "-c", "user.email=x@x")
        done = subprocess.run(["git", *identity, *words], cwd=folder, text=True, check=True,
                              capture_output=True)
        return done.stdout

    git("init", "-q")
    ignored = (ROOT / ".gitignore").read_text() + "/cache/\n"
    (folder / ".gitignore").write_text(ignored)
    genbench("accept", "tiny.yaml")
    git("add", ".")
    git("commit", "-qm", "accepted")
    held = git("ls-files").split()
    assert "results/tiny/report.md" in held
    assert not [name for name in held if "/runs/" in name or "suite.txt" in name]
    for path in (folder / SUITE / "runs").glob("flow--*--s1--*"):
        shutil.rmtree(path)
    genbench("run", "tiny.yaml", "--only", "flow")
    genbench("run", "tiny.yaml", "--only", "flow", "--seeds", "1", "--limit-updates", "2")
    report = folder / genbench("report", "tiny.yaml").stdout.strip()
    assert report == folder / SUITE / "working/report.md"
    assert git("status", "--porcelain") == ""
    shutil.rmtree(folder / SUITE / "runs")
    assert genbench("report", "tiny.yaml").stdout.strip() == f"{SUITE}/report.md"
    assert git("status", "--porcelain") == ""
    (folder / "other.yaml").write_text((folder / "tiny.yaml").read_text())
    assert genbench("report", "other.yaml").stdout.strip() == "results/other/working/report.md"


@pytest.mark.usefixtures("finished")
def test_an_accepted_run_from_python(folder: Path, clone, monkeypatch) -> None:
    done = gb.accept("tiny.yaml", only="flow", partial=True)
    assert len(done.written) == 2
    assert done.left_out == []
    assert done.size < 200_000
    with pytest.raises(gb.GenbenchError, match="no run matches 'flaw'"):
        gb.accept("tiny.yaml", only="flaw")
    monkeypatch.chdir(clone())
    run = gb.load("tiny/flow--ring--s0")
    assert run.status.state == "done"
    assert run.curves["update"].max() == 40
    assert "nll" in run.metrics.index
    with pytest.raises(StoreError, match="hold no checkpoint"):
        _ = run.model
    table = gb.table("tiny.yaml")
    assert set(table[table["method"] == "gan"]["status"]) == {"queued"}
    assert set(table[table["method"] == "flow"]["status"]) == {"ok"}


@pytest.mark.usefixtures("finished")
def test_what_is_not_finished_is_refused(genbench, folder: Path) -> None:
    runs = folder / SUITE / "runs"
    [lost] = runs.glob("gan--ring--s1*")
    status = json.loads((lost / "status.json").read_text())
    (lost / "checksums.json").unlink()
    (lost / "status.json").write_text(json.dumps({**status, "state": "failed", "reason": "no"}))
    before = tracked(folder)
    said = genbench("accept", "tiny.yaml", check=2).stderr
    assert said.count("\n") == 1
    assert f"1 run ({lost.name}: failed) of tiny without a result; run the suite, or acc" in said
    assert tracked(folder) == before, "nothing was written"
    assert f"left out {lost.name}" in genbench("accept", "tiny.yaml", "--partial").stdout
    assert len(AcceptedRuns(folder / SUITE / "accepted").names()) == 4
    assert "1 queued, 4 done" in (folder / SUITE / "report.md").read_text()
    assert "1 failed" in (folder / genbench("report", "tiny.yaml").stdout.strip()).read_text()


def test_trials_are_refused(genbench) -> None:
    genbench("run", "tiny.yaml", "--limit-updates", "3", "--only", "flow")
    for words in ((), ("--partial",)):
        said = genbench("accept", "tiny.yaml", *words, check=2).stderr
        assert said.count("\n") == 1
        assert "--limit-updates cut the budget of 2 runs (flow--ring--s0--" in said


@pytest.mark.usefixtures("finished")
def test_another_protocol_is_refused_and_what_the_suite_has_no_more_goes(
    genbench, folder: Path
) -> None:
    genbench("accept", "tiny.yaml")
    suite = folder / "tiny.yaml"
    text = suite.read_text()
    suite.write_text(text.replace("samples: 300", "samples: 200"))
    said = genbench("accept", "tiny.yaml", check=2).stderr
    assert "under another protocol, than the suite asks for now" in said
    suite.write_text(text.replace("seeds: 2", "seeds: 1"))
    done = genbench("accept", "tiny.yaml").stdout
    assert done.count("the suite has no such run") == 2
    assert len(AcceptedRuns(folder / SUITE / "accepted").names()) == 3


@pytest.mark.usefixtures("finished")
def test_results_of_two_machines_merge(genbench, folder: Path, clone) -> None:
    """Each has some of the runs; what the second accepts lies beside what the first did."""
    genbench("accept", "tiny.yaml")
    whole = tracked(folder)
    shutil.rmtree(folder / SUITE / "accepted")
    there = clone()
    shutil.copytree(folder / SUITE / "runs", there / SUITE / "runs")
    for path in (folder / SUITE / "runs").glob("*--s1--*"):
        shutil.rmtree(path)
    for path in (there / SUITE / "runs").glob("*--s0--*"):
        shutil.rmtree(path)
    genbench("accept", "tiny.yaml", "--partial")
    shutil.copytree(folder / SUITE / "accepted", there / SUITE / "accepted")
    done = warm.genbench(there, "accept", "tiny.yaml", **other_cache(there)).stdout
    assert "5 runs, 2 of them written" in done
    assert tracked(there) == whole


@pytest.mark.usefixtures("finished")
def test_a_run_that_was_accepted_under_an_earlier_id_is_not_lost(genbench, folder: Path) -> None:
    genbench("accept", "tiny.yaml")
    accepted = AcceptedRuns(folder / SUITE / "accepted")
    [name] = [name for name in accepted.names() if name.startswith("flow--ring--s0")]
    run, former = accepted.run(name), f"{name[:-8]}00000000"
    accepted.write(replace(run.acceptance(), run=former), members_of(run, None))
    accepted.remove(name)
    shutil.rmtree(folder / SUITE / "runs" / name)
    genbench("accept", "tiny.yaml", "--only", "gan")
    assert former in accepted.names()
    assert name not in accepted.names()
    assert "5 runs: 5 done." in (folder / SUITE / "report.md").read_text()
    genbench("accept", "tiny.yaml")
    assert former not in accepted.names()
    assert name in accepted.names()


@pytest.mark.usefixtures("finished")
def test_a_flipped_byte_is_noticed_by_whoever_reads_it(genbench, folder: Path) -> None:
    genbench("accept", "tiny.yaml")
    shutil.rmtree(folder / SUITE / "runs")
    path = sorted((folder / SUITE / "accepted").glob("gan--*"))[0]
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    for words in (("report", "tiny.yaml"), ("accept", "tiny.yaml"), ("show", path.stem)):
        said = genbench(*words, check=2).stderr
        assert said.count("\n") == 1
        assert f"{path.relative_to(folder)} is damaged" in said


@pytest.mark.usefixtures("finished")
def test_a_new_row_is_trained_beside_accepted_ones(genbench, folder: Path) -> None:
    genbench("accept", "tiny.yaml")
    text = (folder / "tiny.yaml").read_text()
    mine = text.replace("methods:\n", "methods:\n  mine: {use: gaussian-mixture}\n")
    (folder / "mine.yaml").write_text(mine)
    dry = genbench("run", "mine.yaml", "--reuse", "tiny", "--dry-run").stdout
    assert "7 runs: 5 finished, 2 to do" in dry
    assert dry.count("accepted") == 5
    done = genbench("run", "mine.yaml", "--reuse", "tiny").stdout
    assert "2 runs to do, 5 done before" in done
    assert len(list((folder / "results/mine/runs").glob("[!.]*"))) == 2
    report = folder / "results/mine/working/report.md"
    assert "7 runs: 7 done." in report.read_text()
    assert "gan on ring, seeds 0, 1" in report.read_text(), "which were accepted"
    before = report.read_bytes()
    genbench("report", "mine.yaml")
    assert report.read_bytes() == before, "as of what was reused"
    assert "all 7 runs are done" in genbench("run", "mine.yaml", "--reuse", "tiny").stdout
    assert "7 runs, 7 of them written" in genbench("accept", "mine.yaml").stdout
    for path in Path(SUITE, "accepted").iterdir():
        assert (folder / "results/mine/accepted" / path.name).read_bytes() == path.read_bytes()


@pytest.mark.usefixtures("finished")
def test_without_reuse_all_is_trained_and_more_seeds_go_on(genbench, folder: Path) -> None:
    genbench("accept", "tiny.yaml")
    shutil.rmtree(folder / SUITE / "runs")
    dry = genbench("run", "tiny.yaml", "--dry-run").stdout
    assert "5 runs: 0 finished, 5 to do" in dry
    assert "results of 5 of the runs to do are accepted; --reuse tiny counts them as done" in dry
    text = (folder / "tiny.yaml").read_text()
    (folder / "tiny.yaml").write_text(text.replace("seeds: 2", "seeds: 3"))
    dry = genbench("run", "tiny.yaml", "--reuse", "tiny", "--dry-run").stdout
    assert "7 runs: 5 finished, 2 to do" in dry
    said = genbench("run", "tiny.yaml", "--reuse", "none", check=2).stderr
    assert "--reuse none: there are no accepted results in results/none" in said
    (folder / "tiny.yaml").write_text(text.replace("samples: 300", "samples: 200"))
    dry = genbench("run", "tiny.yaml", "--reuse", "tiny", "--dry-run").stdout
    assert "0 finished, 5 to do" in dry, "measured otherwise, and without a checkpoint"


@pytest.mark.usefixtures("finished")
def test_runs_of_later_looks_are_accepted_where_they_are_finished(
    genbench, folder: Path, clone
) -> None:
    text = (folder / "tiny.yaml").read_text().replace("seeds: 2", "seeds: 5") + CLAIM
    (folder / "tiny.yaml").write_text(text)
    genbench("run", "tiny.yaml", "--only", "flow")
    genbench("run", "tiny.yaml", "--only", "gan--*--s2--*")
    (folder / "tiny.yaml").write_text(text.replace("seeds: 5", "looks: [3, 5]"))
    [last] = (folder / SUITE / "runs").glob("flow--*--s4--*")
    (last / "checksums.json").unlink()
    said = genbench("accept", "tiny.yaml", check=2).stderr
    assert f"1 run ({last.name}: interrupted) of tiny without a result" in said
    done = genbench("accept", "tiny.yaml", "--partial").stdout
    assert f"left out {last.name}" in done
    assert "8 runs, 8 of them written" in done
    there = clone()
    shutil.rmtree(there / SUITE / "figures")
    warm.genbench(there, "report", "tiny.yaml", **other_cache(there))
    assert tracked(there) == tracked(folder)
    assert "8 runs: 8 done." in (there / SUITE / "report.md").read_text()
    for place in ("s3--*", "s4--*"):  # as `genbench run` leaves it, which trains the first look
        for path in (folder / SUITE / "runs").glob(f"flow--ring--{place}"):
            shutil.rmtree(path)
    genbench("run", "tiny.yaml")
    assert "exit code 0" in genbench("check", "tiny.yaml").stdout


def better(folder: Path, metric: str, by: float) -> None:
    """Accepted runs of the flow whose values are lower by so much, as if those were accepted."""
    accepted = AcceptedRuns(folder / SUITE / "accepted")
    for name in accepted.names():
        if name.startswith("flow"):
            run = Path(shutil.copytree(accepted.run(name).path, folder / "changed" / name))
            stored = json.loads((run / "metrics.json").read_text())
            for one in stored["measurements"]:
                if one["metric"] == metric:
                    one["value"] -= by
            (run / "metrics.json").write_text(json.dumps(stored))
            (run / "checksums.json").unlink()
            accepted.write(Acceptance.now(name), members_of(RunFolder(run), None))


def test_runs_are_held_against_the_accepted_ones(genbench, folder: Path) -> None:
    suite = folder / "tiny.yaml"
    suite.write_text(suite.read_text().replace("seeds: 2", "seeds: 3"))
    genbench("run", "tiny.yaml")
    genbench("check", "tiny.yaml", "--baseline", f"{SUITE}/baseline.json", "--update")
    said = genbench("check", "tiny.yaml", check=2).stderr
    assert said.count("\n") == 1, "and no file takes their place unless it is named"
    assert "there are no accepted runs in results/tiny/accepted; `genbench accept tiny.yaml`" in (
        said)
    said = genbench("check", "tiny.yaml", "--update", check=2).stderr
    assert "`genbench accept tiny.yaml` accepts runs" in said
    for flag in (("--exact",), ("--junit", "x.xml"), ("--markdown", "x.md")):
        said = genbench(
            "check", "tiny.yaml", "--update", "--baseline", "b.json", *flag, check=2
        ).stderr
        assert "--update writes numbers and judges none" in said
    assert not (folder / "b.json").exists()
    genbench("accept", "tiny.yaml")
    assert "exit code 0" in genbench("check", "tiny.yaml", "--exact").stdout
    assert "exit code 0" in genbench("check", "tiny.yaml", "--exact", "--seeds", "2").stdout
    better(folder, "nll", 50)
    caught = genbench("check", "tiny.yaml", check=1).stdout
    assert "regressed" in caught
    text = suite.read_text()
    suite.write_text(text + "tolerances: {nll: {absolute: 51}}\n")
    assert "exit code 0" in genbench("check", "tiny.yaml").stdout, "as the suite tolerates"
    for tolerance, told in (("{nil: {absolute: 1}}", "'nil' is not among what is evaluated"),
                            ("{nll: {absolute: -1}}", "tolerances.nll.absolute"),
                            ("{nll: {share: 1}}", "tolerances.nll")):
        suite.write_text(f"{text}tolerances: {tolerance}\n")
        assert told in genbench("check", "tiny.yaml", check=2).stderr
    suite.write_text(text.replace("widths: [16]", "widths: [8]"))
    genbench("run", "tiny.yaml")
    changed = genbench("check", "tiny.yaml", "--allow-inconclusive", check=None).stdout
    assert "flow on ring: model.options.widths[0]: 16 → 8" in changed
    shutil.rmtree(folder / SUITE / "runs")
    said = genbench("check", "tiny.yaml", check=2).stderr
    assert "there are no runs in results/tiny/runs to hold against accepted ones" in said
