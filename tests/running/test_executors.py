"""What every executor says of itself; the manual's own one gives what this machine gives."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from genbench import lookup
from genbench.errors import GenbenchError
from genbench.running import session
from genbench.running.doctor import examine
from genbench.suites.executors import cluster_model, executor_options

ROOT = Path(lookup.__file__).parents[1]
EXECUTORS = {name: lookup.describe("executor", name) for name in lookup.available("executor")}
MANUAL = (ROOT / "genbench/docs/extending/executor.md").read_text(encoding="utf-8")


@pytest.fixture
def processes(folder: Path) -> Path:
    """The manual's executor, in a working folder."""
    [text] = re.findall(r'^```python\n("""processes.py:.*?)^```$', MANUAL, re.M | re.S)
    (folder / "processes.py").write_text(text, encoding="utf-8")
    return folder


def test_they_are_read_without_what_they_need() -> None:
    code = (
        "import sys; from genbench import lookup; from genbench.running import session\n"
        "[session.make_executor(name, {}) for name in lookup.available('executor')]\n"
        "sys.exit(bool({'torch', 'ray', 'submitit'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_package_is_an_extra_of_the_executors_name() -> None:
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"][
        "optional-dependencies"
    ]
    needed = {
        name: [part.constants["package"]] for name, part in EXECUTORS.items()
        if "package" in part.constants
    }
    assert needed == {name: extras[name] for name in extras if name != "dev"}


def test_an_option_of_two_executors_says_the_same() -> None:
    docs: dict[str, set[str]] = {}
    for part in EXECUTORS.values():
        for option in part.options:
            docs.setdefault(option.name, set()).add(option.doc)
    assert {name: said for name, said in docs.items() if len(said) > 1} == {}


def test_a_missing_package_is_one_line(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(GenbenchError, match=r"slurm needs submitit: pip install 'genbench\[slurm"):
        session.make_executor("slurm", {})
    monkeypatch.setattr("genbench.running.doctor.package_version", lambda name: "")
    found = {one.what: one for one in examine(tmp_path, tmp_path, tmp_path, None)}
    assert found["submitit"].state == "missing"
    assert "genbench[slurm]" in found["submitit"].found
    assert "genbench[ray]" in found["ray"].found


def test_a_suites_cluster_is_for_any_executor() -> None:
    suite = cluster_model()(cpus=2, gpus=0.5, partition="p")
    assert executor_options("ray", suite, {}) == {
        "cpus": 2, "gpus": 0.5, "memory": None, "ray_address": None,
    }
    assert executor_options("local", suite, {"workers": "3"}) == {"workers": 3, "threads": 1}
    with pytest.raises(GenbenchError, match=r"gpus: expected a whole number, got 0\.5"):
        executor_options("slurm", suite, {})
    assert executor_options("slurm", suite, {"gpus": 1})["partition"] == "p"
    assert not {"workers", "threads"} & set(cluster_model().model_fields)


@pytest.mark.sweep
@pytest.mark.parametrize(("flags", "line"), [
    ("--cpus 2", "executor 'local' has no option 'cpus'; it is one of ray and slurm"),
    ("--executor ray --partition p", "'ray' has no option 'partition'; it is one of slurm"),
    ("--executor slurm --cpus two", "cpus: expected a whole number, got 'two'"),
    ("--executor slurm --time soon", "time: expected a time above 0, as minutes"),
    ("--executor slum", "no executor 'slum'; did you mean 'slurm'?"),
    ("--executor processes.py:Process", "processes.py holds no class Process(Executor)"),
    ("--executor processes.py:Processes --at-once 0", "at_once: expected a number ≥ 1, got '0'"),
    ("--executor own.py:Own", "an executor's option cannot be called so: --seeds is another"),
])
def test_what_an_executor_does_not_take_is_one_line(
    genbench, processes: Path, flags: str, line: str
) -> None:
    (processes / "own.py").write_text(
        (processes / "processes.py").read_text().replace("at_once", "seeds")
        .replace("class Processes", "class Own")
    )
    for dry in ([], ["--dry-run"]):
        done = genbench("run", "tiny.yaml", *flags.split(), *dry, check=2)
        assert line in done.stderr
        assert done.stderr.count("\n") == 1


def test_one_of_your_own_gives_what_this_machine_gives(
    genbench, content, processes: Path
) -> None:
    little = ("--only", "flow", "--seeds", "1")
    genbench("run", "tiny.yaml", "--results", "here", *little)
    done = genbench("run", "tiny.yaml", "--results", "there", *little, "--executor",
                    "processes.py:Processes", "--at-once", "1")
    assert "1 at a time" in done.stdout
    assert content("here", "tiny") == content("there", "tiny")
    assert not (processes / "there/tiny/runs/.mailboxes").exists()


@pytest.mark.slow
def test_what_fails_elsewhere_says_why(genbench, processes: Path) -> None:
    """By the run itself, which left word of it, and by a process that left none."""
    (processes / "bad.py").write_text(
        "import os\nfrom genbench.models.generator import Generator\n"
        "class Gone(Generator):\n    def generate(self, *given):\n        os._exit(7)\n"
        "class Wrong(Generator):\n"
        "    def generate(self, *given):\n        raise ValueError('so')\n"
    )
    suite = (processes / "tiny.yaml").read_text().replace("seeds: 2", "seeds: 1")
    (processes / "bad.yaml").write_text(re.sub(
        "methods:.*protocol", "methods:\n  gone: {use: gan, model: 'bad.py:Gone'}\n"
        "  wrong: {use: gan, model: 'bad.py:Wrong'}\n  gan: {}\nprotocol", suite, flags=re.S,
    ))
    done = genbench("run", "bad.yaml", "--executor", "processes.py:Processes", check=3)
    said = {line.split("--")[0].split()[-1]: line for line in done.stdout.splitlines()
            if "failed" in line and "--" in line}
    assert "exit code 7" in said["gone"]
    assert "ValueError: so" in said["wrong"]
    assert "2 runs failed" in done.stdout
