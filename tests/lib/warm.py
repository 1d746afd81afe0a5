"""Commands and scripts as processes of their own, forked from one that has loaded torch.

A `genbench run` spends four of its six seconds on loading libraries: in the command, and in the
server of its workers. Here both are forks of one process, which each process of the tests has; all
else (arguments, environment, folder, streams, exit codes, workers) is as it is typed. Tests of how
a command starts and of what ends it start a fresh one.
"""

from __future__ import annotations

import atexit
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import traceback
import warnings
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import ModuleType
from typing import Any, NoReturn

__all__ = ["genbench", "python"]

PRELOADED = (
    "torch", "torch._dynamo", "pandas", "scipy.stats", "matplotlib.figure",
    "matplotlib.backends.backend_agg", "genbench.cli.app", "genbench.running.cell",
    "genbench.running.prepare", "genbench.running.session", "genbench.reporting.report",
)
_server: subprocess.Popen[str] | None = None


def genbench(
    folder: Path, *words: str, check: int | None = 0, timeout: float = 300, **environment: str
) -> subprocess.CompletedProcess[str]:
    """The command in a folder: its exit code, which is to be `check`, stdout and stderr."""
    done = python(
        ["-m", "genbench", *words], folder, {"COLUMNS": "200", **environment}, timeout
    )
    busy = r"(?m)^(still |(eval|fetch) .* of it done).*\n"  # said of steps that take long
    done.stderr = re.sub(busy, "", done.stderr)
    if check is not None:
        assert done.returncode == check, (done.returncode, done.stdout, done.stderr)
    return done


def python(
    words: Sequence[str], folder: Path, environment: Mapping[str, str] | None = None,
    timeout: float = 300,
) -> subprocess.CompletedProcess[str]:
    """What `python WORDS` (`-m genbench …` or `-c SCRIPT`) does in a folder.

    Raises:
        subprocess.TimeoutExpired: it is still at work after that many seconds; it was killed.
    """
    global _server
    if _server is None or _server.poll() is not None:
        _server = subprocess.Popen(
            [sys.executable, __file__], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )
        atexit.register(_end, _server)
    assert _server.stdin is not None
    assert _server.stdout is not None
    env = {**os.environ, "OMP_NUM_THREADS": "1", **(environment or {})}
    with tempfile.TemporaryDirectory() as place:
        streams = [f"{place}/stdout", f"{place}/stderr"]
        asked = {"words": list(words), "folder": str(folder), "env": env, "streams": streams,
                 "timeout": timeout}
        _server.stdin.write(json.dumps(asked) + "\n")
        _server.stdin.flush()
        code = json.loads(_server.stdout.readline())
        out, err = (Path(path).read_text("utf-8", "replace") for path in streams)
    if code is None:
        raise subprocess.TimeoutExpired(list(words), timeout, out, err)
    return subprocess.CompletedProcess(list(words), code, out, err)


def _end(server: subprocess.Popen[str]) -> None:
    """Have it leave."""
    with server:  # which closes its pipes, and waits
        pass


def serve() -> None:
    """One request a line, until there are no more."""
    import gc
    import importlib

    for module in PRELOADED:
        importlib.import_module(module)
    gc.freeze()  # what is shared stays shared
    for line in sys.stdin:
        asked = json.loads(line)
        process = os.fork()
        if process == 0:
            _work(**asked)
        print(json.dumps(_ended(process, asked["timeout"])), flush=True)


def _ended(process: int, timeout: float) -> int | None:
    """The exit code of a child; None where its time was up."""
    handle = os.pidfd_open(process)
    import select

    ready, _, _ = select.select([handle], [], [], timeout)
    os.close(handle)
    if not ready:
        os.killpg(process, signal.SIGKILL)
    _, status = os.waitpid(process, 0)
    return os.waitstatus_to_exitcode(status) if ready else None


def _work(
    words: list[str], folder: str, env: dict[str, str], streams: list[str], timeout: float
) -> NoReturn:
    """Be the command."""
    os.setpgid(0, 0)
    for number, path in enumerate([os.devnull, *streams]):
        flags = os.O_RDONLY if number == 0 else os.O_WRONLY | os.O_CREAT
        opened = os.open(path, flags)
        os.dup2(opened, number)
        os.close(opened)
    letters = env.get("PYTHONIOENCODING", "utf-8")
    sys.stdin = os.fdopen(0)
    sys.stdout = os.fdopen(1, "w", encoding=letters)
    sys.stderr = os.fdopen(2, "w", encoding=letters, errors="backslashreplace", buffering=1)
    sys.__stdout__, sys.__stderr__ = sys.stdout, sys.stderr
    os.environ.clear()
    os.environ.update(env)
    os.chdir(folder)
    sys.path[0] = folder
    sys.modules["__main__"] = ModuleType("__main__")
    _fork_servers()
    flag, what, *rest = words
    sys.argv = ["genbench" if flag == "-m" else flag, *rest]
    code: Any = 0
    try:
        if flag == "-m":
            from genbench.cli.app import main

            assert what == "genbench"
            main()
        else:
            assert flag == "-c"
            exec(compile(what, "<string>", "exec"), sys.modules["__main__"].__dict__)
    except SystemExit as leaving:
        code = leaving.code
    except BaseException:
        traceback.print_exc()
        code = 1
    with suppress(Exception):
        sys.stdout.flush()
        sys.stderr.flush()
    atexit._run_exitfuncs()
    os._exit(code if isinstance(code, int) else int(code is not None))


def _fork_servers() -> None:
    """Have multiprocessing fork its servers, which it would start as new processes."""
    from multiprocessing import forkserver, resource_tracker, util

    started = util.spawnv_passfds
    servers = ("from multiprocessing.forkserver ", "from multiprocessing.resource_tracker ")

    def forked(path: Any, args: Sequence[Any], fds: Sequence[int]) -> int:
        if not str(args[-1]).startswith(servers):
            return started(path, args, fds)  # as an executor of one's own spawns
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of threads: of those that are, none goes along
            process = os.fork()
        if process:
            return process
        try:
            signal.set_wakeup_fd(-1)
            for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
                signal.signal(number, signal.SIG_DFL)
            nothing = os.open(os.devnull, os.O_RDWR)
            for number in map(int, os.listdir("/proc/self/fd")):
                if number > 2 and number not in fds and number != nothing:
                    with suppress(OSError):  # the one that lists them is gone again
                        os.fstat(number)
                        os.dup2(nothing, number)
            for lone in (forkserver._forkserver, resource_tracker._resource_tracker):
                lone.__init__()  # its lock is held by whoever starts it
            exec(args[-1], {})
        except SystemExit:  # as the server of workers ends
            os._exit(0)
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(1)

    util.spawnv_passfds = forked


if __name__ == "__main__":
    del sys.path[0]  # tests/lib: a command sees its own folder there
    sys.path.insert(0, "")
    serve()
