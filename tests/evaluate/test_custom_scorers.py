"""Scorers that people write: what they can do, what they cannot, and what becomes of those that try."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterable
from pathlib import Path
from typing import Any

import psutil
import pytest

from evaluate.cells import Score
from evaluate.scorers import jail
from evaluate.scorers.options import Means
from evaluate.scorers.scorer import Scorer
from evaluate.scorers.table import build
from tests.evaluate.scoring import sample

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.skipif(not jail.confined(), reason="custom scorers are run where there is Landlock: on Linux"),
]
Make = Callable[..., Scorer]


@pytest.fixture
async def make(tmp_path: Path) -> AsyncIterator[Make]:
    """A scorer from its source. Its process ends with the test."""
    made: list[Scorer] = []

    def from_source(source: str, **options: Any) -> Scorer:
        (tmp_path / "mine.py").write_text(source)
        entry = {"scorer": "python", "file": "mine.py", **options}
        made.extend(build([entry], Means(directory=tmp_path)))
        return made[-1]

    yield from_source
    for scorer in made:
        await scorer.aclose()


async def by(scorer: Scorer, text: str = "hello", **more: Any) -> Score:
    return await scorer.score(sample(text, **more))


async def test_a_function_in_a_file_scores_a_sample(make: Make) -> None:
    scorer = make(
        """
        def score(sample, times=1):
            return times * len(sample["text"]), f"{sample['inputs']['q']}!"
        """.replace("\n        ", "\n"),
        options={"times": 2},
        name="long",
    )
    assert await by(scorer, inputs={"q": "why"}) == Score(name="long", value=10.0, rationale="why!", cost_nanos=0)


async def test_it_may_wait_and_print_and_give_an_object(make: Make) -> None:
    scorer = make(
        "import asyncio\n"
        "async def score(sample):\n"
        "    await asyncio.sleep(0)\n"
        "    print('x' * 200_000)\n"
        "    return {'value': True, 'rationale': 'fine'}\n",
        kind="binary",
    )
    for _ in range(3):
        score = await by(scorer)
        assert (score.value, score.rationale, score.error) == (True, "fine", None)


async def test_it_may_import_what_is_installed_and_what_is_laid_beside_it(make: Make, tmp_path: Path) -> None:
    (tmp_path / "helpers").mkdir()
    (tmp_path / "helpers" / "__init__.py").write_text("import numpy\ndef mean(x): return float(numpy.mean(x))\n")
    (tmp_path / "words.txt").write_text("one two")
    scorer = make(
        "import helpers\ndef score(sample):\n    return helpers.mean([len(open('words.txt').read()), 9])\n",
        files=["helpers", "words.txt"],
    )
    assert (await by(scorer)).value == 8


async def test_it_sees_nothing_of_the_environment(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
    scorer = make("import os\ndef score(sample): return ','.join(sorted(os.environ))", kind="category")
    names = str((await by(scorer)).value).split(",")
    assert set(names) <= {"HOME", "TMPDIR", "LC_CTYPE", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"}


@pytest.mark.parametrize("kept", ["gatelog.yaml", "secrets.key"])
async def test_it_cannot_read_key_files_even_where_its_own_file_lies(make: Make, tmp_path: Path, kept: str) -> None:
    secret = tmp_path / kept
    secret.write_text("admin_key: gl-secret")
    secret.chmod(0o644)
    scorer = make(f"def score(sample): return open({str(secret)!r}).read()", kind="category")
    score = await by(scorer)
    assert score.value is None
    assert score.error == f"PermissionError: [Errno 13] Permission denied: {str(secret)!r} (mine.py, line 1)"


@pytest.mark.parametrize(
    "path",
    [
        *("/etc/passwd", "/proc/self/environ"),
        # With names of their own, since processes that share the tests must call them alike.
        pytest.param(f"/proc/{os.getpid()}/environ", id="the environment of these tests"),
        pytest.param(str(Path.home()), id="home"),
    ],
)
async def test_it_cannot_read_what_else_is_on_the_machine(make: Make, path: str) -> None:
    read = f"os.listdir({path!r}) if os.path.isdir({path!r}) else open({path!r}).read()"
    scorer = make(f"import os\ndef score(sample): return str({read})", kind="category")
    score = await by(scorer)
    assert score.value is None
    assert score.error is not None
    assert score.error.startswith(("PermissionError", "FileNotFoundError"))


async def test_it_has_no_descriptors_but_its_own(make: Make) -> None:
    opened = os.open(__file__, os.O_RDONLY)
    os.set_inheritable(opened, True)
    try:
        scorer = make(
            "import os\n"
            "def score(sample):\n"
            "    kinds = []\n"
            "    for number in range(64):\n"
            "        try:\n"
            "            kinds.append(oct(os.fstat(number).st_mode >> 12))\n"
            "        except OSError:\n"
            "            pass\n"
            "    return ' '.join(kinds)\n",
            kind="category",
        )
        kinds = str((await by(scorer)).value).split()
    finally:
        os.close(opened)
    # Pipes and /dev/null: no regular file.
    assert set(kinds) <= {"0o1", "0o2"}


@pytest.mark.parametrize(
    "attempt",
    [
        "import socket; socket.socket()",
        "import urllib.request; urllib.request.urlopen('http://127.0.0.1:9')",
        "import socket; socket.socket(socket.AF_UNIX)",
        "import subprocess; subprocess.run(['/bin/ls'])",
        "import ctypes; assert ctypes.CDLL(None).unshare(0x10000000) == 0",
        "import os; os.kill(os.getppid(), 9) or os.kill(1, 9)",
        pytest.param(f"import os; os.kill({os.getpid()}, 0)", id="kill these tests"),
    ],
)
async def test_it_reaches_no_network_no_program_and_no_process(make: Make, attempt: str) -> None:
    score = await by(make(f"def score(sample):\n    {attempt}\n    return 1"))
    if "getppid" in attempt:
        # Of its own namespace it may end what it likes; the worst is that it ends itself.
        assert score.value in (None, 1.0)
    else:
        assert score.value is None
        assert score.error is not None


async def test_it_cannot_change_itself_back(make: Make) -> None:
    score = await by(make("import os\ndef score(sample):\n    os.setuid(0)\n    return 1"))
    if os.geteuid() == 0:
        assert score.error is not None
        assert "PermissionError" in score.error


async def test_one_that_hangs_is_stopped_with_all_that_it_started_and_the_next_sample_is_scored(make: Make) -> None:
    others = descendants()  # another file of tests may have left its own
    scorer = make(
        "import os, time\n"
        "def score(sample):\n"
        "    if sample['text'] == 'hang':\n"
        "        if os.fork() == 0:\n"
        "            os.setsid()\n"
        "        while True:\n"
        "            time.sleep(1)\n"
        "    return 1\n",
        seconds=3,
    )
    assert (await by(scorer)).value == 1
    before = descendants(others)
    began = time.monotonic()
    assert (await by(scorer, "hang")).error == "it took longer than 3 s"
    assert time.monotonic() - began < 15
    assert not [each for each in before if each.is_running()]
    assert descendants(others) == []
    assert (await by(scorer)).value == 1


def descendants(beside: Iterable[psutil.Process] = ()) -> list[psutil.Process]:
    living = [each for each in psutil.Process().children(recursive=True) if each.status() != psutil.STATUS_ZOMBIE]
    return [each for each in living if each not in beside]


async def test_one_that_eats_memory_is_an_error_and_begins_anew(make: Make) -> None:
    scorer = make(
        "kept = []\n"
        "def score(sample):\n"
        "    while sample['text'] == 'eat':\n"
        "        kept.append(bytearray(16 << 20))\n"
        "    return len(kept)\n",
        memory_mb=256,
    )
    assert (await by(scorer)).value == 0
    score = await by(scorer, "eat")
    assert score.error == "MemoryError:  (mine.py, line 4)"
    assert (await by(scorer)).value == 0


async def test_a_fork_bomb_is_an_error_and_leaves_nothing(make: Make) -> None:
    others = descendants()
    scorer = make(
        "import os, time\n"
        "def score(sample):\n"
        "    while True:\n"
        "        if os.fork() == 0:\n"
        "            time.sleep(60)\n",
        processes=10,
    )
    most = 0

    async def watch() -> None:
        nonlocal most
        while True:
            most = max(most, len(descendants(others)))
            await asyncio.sleep(0.02)

    watching = asyncio.create_task(watch())
    score = await by(scorer)
    watching.cancel()
    assert score.error is not None
    assert "Resource temporarily unavailable" in score.error
    assert most < 20
    await scorer.aclose()
    assert descendants(others) == []


async def test_one_that_fills_the_disk_is_an_error(make: Make) -> None:
    scorer = make("def score(sample):\n    open('big', 'wb').write(b'x' * (2 << 20))\n    return 1", file_mb=1)
    score = await by(scorer)
    assert score.value is None
    assert score.error is not None


@pytest.mark.parametrize(
    ("source", "why"),
    [
        ("import os\ndef score(sample): os._exit(3)", "it ended with 3"),
        ("import os\ndef score(sample): os.kill(os.getpid(), 11)", "it ended by SIGSEGV"),
        ("import sys\ndef score(sample): sys.stderr.write('oh no'); sys.stderr.flush(); __import__('os')._exit(1)",
         "it ended with 1; it printed: oh no"),
        ("def score(sample): raise ValueError('bad')", "ValueError: bad (mine.py, line 1)"),
        ("def score(sample): raise SystemExit", "SystemExit:  (mine.py, line 1)"),
        ("import nowhere", "ModuleNotFoundError: No module named 'nowhere' (mine.py, line 1)"),
        ("def other(sample): pass", "AttributeError: module 'mine' has no attribute 'score'"),
        ("def score(sample): return True", "it gave True; a scorer of kind 'numeric' gives a finite number"),
        ("def score(sample): return float('nan')", "ValueError: Out of range float values are not JSON compliant"),
        ("def score(sample): return None, 'too short'", "it gave no value: too short"),
        ("def score(sample): return object()", "TypeError: Object of type object is not JSON serializable"),
        ("import os\ndef score(sample):\n    [os.write(n, b'?\\n') for n in range(3, 6) if ok(n)]\n    return 1\n"
         "def ok(n):\n    import stat\n    try: return stat.S_ISFIFO(os.fstat(n).st_mode) and os.write(n, b'') == 0\n"
         "    except OSError: return False", "what it said is no answer, or longer than 1048576 bytes"),
        ("def score(sample): return 'x' * (2 << 20)", "what it said is no answer, or longer than 1048576 bytes"),
    ],
)  # fmt: skip
async def test_whatever_goes_wrong_is_an_error_with_its_reason(make: Make, source: str, why: str) -> None:
    score = await by(make(source))
    assert score.value is None
    assert score.error is not None
    assert score.error.startswith(why)


PLAIN = Path("/usr/bin/python3")
TRIES = """
import os, socket
def score(sample):
    found = []
    for path in ("/etc/passwd", "/proc/1/environ"):
        try:
            open(path).read()
            found.append(path)
        except OSError:
            pass
    try:
        socket.socket()
        found.append("socket")
    except OSError:
        pass
    children = 0
    try:
        while children < 200:
            if os.fork() == 0:
                import time
                time.sleep(60)
            children += 1
    except OSError:
        pass
    return [str(found), str(children <= 8)]
"""


@pytest.mark.skipif(os.geteuid() != 0 or not PLAIN.exists(), reason="only root can become another user")
@pytest.mark.parametrize(
    ("command", "user", "namespaces"),
    [
        pytest.param([], jail.NOBODY, True, id="an ordinary user"),
        pytest.param([], jail.NOBODY, False, id="an ordinary user without namespaces"),
        pytest.param(["setpriv", "--bounding-set", "-sys_admin,-dac_read_search"], 0, True, id="root in a container"),
    ],
)
def test_whoever_runs_it_a_scorer_is_confined(command: list[str], user: int, namespaces: bool) -> None:
    with tempfile.TemporaryDirectory(prefix="gatelog-test-") as folder:
        for name, text in (("mine.py", TRIES), ("jail.py", Path(jail.__file__).read_text())):
            Path(folder, name).write_text(text)
        for path in (folder, *map(str, Path(folder).iterdir())):
            os.chown(path, jail.NOBODY, jail.NOBODY)
        config = {
            "module": "mine",
            "function": "score",
            "work": folder,
            "readable": ["/usr/lib", "/lib", "/usr/local/lib", "/etc/ld.so.cache"],
            "memory_bytes": 1 << 30,
            "file_bytes": 1 << 20,
            "processes": 8,
            "cpu_seconds": 10,
            "cpu_seconds_in_all": 1000,
            "trusted": False,
        }
        without = "" if namespaces else "jail._unshared = lambda flags: False; "
        program = f"import sys, json; sys.path.insert(0, {folder!r}); import jail; {without}jail.main({config!r})"
        found = subprocess.run(
            [*command, PLAIN, "-I", "-c", program],
            input='{"id": 1, "sample": {}, "options": {}}\n',
            user=user,
            group=user,
            extra_groups=[],
            env={"PATH": os.defpath},
            cwd="/",
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        said = [json.loads(line) for line in found.stdout.splitlines()]
        assert said == [{"ready": True}, {"id": 1, "found": ["[]", "True"]}], found.stderr
        assert not [each for each in psutil.process_iter(["cmdline"]) if folder in str(each.info["cmdline"])]


async def test_many_samples_at_once_are_scored_one_after_the_other(make: Make) -> None:
    scorer = make("seen = []\ndef score(sample):\n    seen.append(1)\n    return len(seen)")
    scores = await asyncio.gather(*(by(scorer) for _ in range(20)))
    assert sorted(score.number or 0 for score in scores) == list(range(1, 21))


def test_when_its_owner_is_killed_a_scorer_ends_too_and_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text("import time\ndef score(sample):\n    time.sleep(60)\n")
    owner = (
        "import asyncio\nfrom pathlib import Path\n"
        "from evaluate.scorers.options import Means\nfrom evaluate.scorers.scorer import Sample\n"
        "from evaluate.scorers.table import build\n"
        f"scorer = build([{{'scorer': 'python', 'file': 'mine.py'}}], Means(directory=Path({str(tmp_path)!r})))[0]\n"
        "asyncio.run(scorer.score(Sample(row='1')))\n"
    )
    root = str(Path(__file__).parents[2])
    process = subprocess.Popen([sys.executable, "-c", owner], env={**os.environ, "PYTHONPATH": root})
    until = time.monotonic() + 20
    family: list[psutil.Process] = []
    while len(family) < 3 and time.monotonic() < until:
        family = psutil.Process(process.pid).children(recursive=True)
        time.sleep(0.05)
    assert len(family) >= 2
    work = Path(json.loads(family[0].cmdline()[-1])["work"])
    assert work.is_dir()
    process.kill()
    process.wait()
    _, alive = psutil.wait_procs(family, timeout=10)
    assert alive == []
    assert not work.exists()
