"""Scorers that people write in Python: in a process of their own, with limits, where the server's secrets are not."""

from __future__ import annotations

import asyncio
import hashlib
import importlib.metadata
import importlib.util
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import orjson
from pydantic import Field, StringConstraints, model_validator

from evaluate.cells import Direction, Score
from evaluate.scorers import jail
from evaluate.scorers.given import Failed, shown, value_of
from evaluate.scorers.options import Entries, Entry, Means, Options, Unfit
from evaluate.scorers.scorer import Kind, Sample, Scorer, unscored
from providers.chat import Json

GROUP = "gatelog.scorers"
"""The group of entry points that packages offer scorers in."""
START_SECONDS = 30.0
LINE_MOST = 1 << 20
"""Bytes of what a scorer says of one sample."""
TOLD_MOST = 2000
"""Characters of what a scorer printed that its error shows."""
LAID_OUT_MOST = 64 << 20
"""Bytes of the files that a scorer is given."""


Beside = Annotated[str, StringConstraints(pattern=r"^\w[\w.-]*(/\w[\w.-]*)*$", max_length=250)]


class LimitedOptions(Options):
    kind: Literal["binary", "numeric", "category"] = Field(
        default="numeric", description="what it gives: true or false, a number, or a word"
    )
    direction: Literal["higher", "lower"] = Field(default="higher", description="which way is better")
    options: dict[str, Any] = Field(default={}, description="given to the function as arguments by name")
    seconds: float = Field(default=10.0, gt=0, le=240, description="how long one sample may take")
    memory_mb: int = Field(default=1024, ge=64, le=65536, description="memory of each of its processes")
    processes: int = Field(default=8, ge=1, le=256, description="processes and threads that it may have at once")
    file_mb: int = Field(default=16, ge=0, le=4096, description="the size of a file that it may write")
    trusted: bool = Field(
        default=False,
        description="in a program of yours alone: run it where the machine cannot keep it from files and the network",
    )


class PythonOptions(LimitedOptions):
    source: str | None = Field(default=None, max_length=1 << 20, description="Python code that has the function")
    file: str | None = Field(
        default=None,
        pattern=r"\.py$",
        description="or a Python file, in a list of yours; its folder is not searched for others",
    )
    function: str = Field(default="score", pattern=r"^[A-Za-z_]\w*$", description="the function in it")
    beside: dict[Beside, str] = Field(default={}, description="texts by file names, laid beside it to import or read")
    files: tuple[str, ...] = Field(default=(), description="or files and folders to lay beside it")

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.source is None) == (self.file is None):
            raise ValueError("give either `file` or `source`")
        return self


class InstalledOptions(LimitedOptions):
    entry_point: str = Field(description=f"the name of an entry point in the group `{GROUP}`")


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """What is run: a function of a module, and the files that are laid out for it."""

    module: str
    function: str
    contents: Mapping[str, bytes] = field(default_factory=dict)

    @property
    def digest(self) -> str:
        digest = hashlib.sha256(f"{self.module}:{self.function}\0".encode())
        for name, content in sorted(self.contents.items()):
            digest.update(f"{name}\0".encode() + hashlib.sha256(content).digest())
        return digest.hexdigest()[:16]


def python(options: PythonOptions, means: Means) -> Scorer:
    module = "scorer" if options.file is None else Path(options.file).stem
    if not module.isidentifier():
        raise Unfit(f"python: {options.file!r} cannot be imported; name it as a module, such as my_scorer.py")
    contents = {name: text.encode() for name, text in options.beside.items()}
    if options.source is not None:
        contents["scorer.py"] = options.source.encode()
    for each in [options.file, *options.files] if options.file is not None else options.files:
        contents |= read("python", means.file("python", each))
    program = Program(module=module, function=options.function, contents=contents)
    return _scorer(options, means, program, {"digest": program.digest, **_asked(options)})


def installed(options: InstalledOptions, means: Means) -> Scorer:
    found = importlib.metadata.entry_points(group=GROUP, name=options.entry_point)
    if not found:
        known = ", ".join(sorted(each.name for each in importlib.metadata.entry_points(group=GROUP))) or "none"
        raise Unfit(f"installed: there is no entry point {options.entry_point!r} in {GROUP}; installed: {known}")
    (entry, *_) = found
    version = entry.dist.version if entry.dist is not None else None
    package = _elsewhere(entry.module.partition(".")[0])
    contents = {} if package is None else read("installed", package)
    program = Program(module=entry.module, function=entry.attr, contents=contents)
    return _scorer(options, means, program, {"version": version, "digest": program.digest, **_asked(options)})


def _elsewhere(package: str) -> Path | None:
    """A package that is not where packages are installed, as one under development."""
    found = importlib.util.find_spec(package)
    if found is None or found.origin is None:
        raise Unfit(f"installed: the package {package!r} cannot be found")
    origin = Path(found.origin)
    if any(origin.is_relative_to(folder) for folder in readable()):
        return None
    return origin.parent if found.submodule_search_locations else origin


def read(scorer: str, path: Path) -> dict[str, bytes]:
    """A file, or all files of a folder, by their names from the folder that it is in."""
    if not path.exists():
        raise Unfit(f"{scorer}: there is no file {str(path)!r}")
    files = [each for each in sorted(path.rglob("*")) if each.is_file()] if path.is_dir() else [path]
    files = [each for each in files if "__pycache__" not in each.parts]
    if (size := sum(each.stat().st_size for each in files)) > LAID_OUT_MOST:
        raise Unfit(f"{scorer}: {str(path)!r} has {size} bytes, and may have {LAID_OUT_MOST}")
    try:
        return {str(each.relative_to(path.parent)): each.read_bytes() for each in files}
    except OSError as exc:
        raise Unfit(f"{scorer}: {str(exc.filename)!r} cannot be read: {exc.strerror}") from exc


def _asked(options: LimitedOptions) -> Json:
    return options.model_dump(mode="json", include={"scorer", "kind", "direction", "options", "entry_point"})


def _scorer(options: LimitedOptions, means: Means, program: Program, identity: Json) -> Scorer:
    if options.trusted and means.directory is None:
        raise Unfit(f"{options.scorer}: `trusted` is not for who asks a gateway")
    if not options.trusted and not jail.confined():
        raise Unfit(
            f"{options.scorer}: this machine cannot keep a scorer from files and from the network, so it runs none; "
            "that takes Linux with Landlock, on x86_64 or aarch64"
        )
    worker = Worker(program, options)
    name = options.called

    async def score(sample: Sample) -> Score:
        try:
            said = await worker.ask(sample)
            value, rationale = value_of(said, options.kind)
        except Failed as exc:
            return unscored(name, str(exc))
        return Score(name=name, value=value, rationale=rationale, cost_nanos=0)

    kind: Kind = options.kind
    direction: Direction | None = None if kind == "category" else options.direction
    return Scorer(
        name=name,
        kind=kind,
        direction=direction,
        needs=frozenset(),
        score=score,
        identity=identity,
        aclose=worker.aclose,
    )


@dataclass(slots=True)
class Worker:
    """The process of one scorer: started when it is first needed, and anew after it hung or died."""

    program: Program
    options: LimitedOptions
    _lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    _process: asyncio.subprocess.Process | None = None
    _folder: str | None = None
    _asked: int = 0
    _told: bytearray = field(default_factory=bytearray)
    _listening: asyncio.Task[None] | None = None

    async def ask(self, sample: Sample) -> Any:
        """What the function says of a sample. It is asked for one at a time."""
        async with self._lock:
            if self._process is None:
                await self._start()
            self._asked += 1
            line = orjson.dumps({"id": self._asked, "sample": shown(sample), "options": self.options.options})
            said = await self._said(line, self.options.seconds)
            if said.get("id") != self._asked:
                await self._stop()
                raise Failed("it answered what it was not asked")
            if "failed" in said:
                if said.get("worn"):
                    await self._stop()
                raise Failed(str(said["failed"]))
            return said.get("found")

    async def aclose(self) -> None:
        async with self._lock:
            await self._stop()

    async def _start(self) -> None:
        self._folder = await asyncio.to_thread(_laid_out, self.program.contents)
        options, program = self.options, self.program
        config = {
            "module": program.module,
            "function": program.function,
            "work": self._folder,
            "readable": readable(),
            "memory_bytes": options.memory_mb << 20,
            "file_bytes": options.file_mb << 20,
            "processes": options.processes,
            "cpu_seconds": options.seconds * 2,
            "cpu_seconds_in_all": 24 * 3600,
            "trusted": options.trusted,
        }
        self._process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-I",
            jail.__file__,
            orjson.dumps(config).decode(),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env={},
            cwd=self._folder,
            start_new_session=True,
            limit=LINE_MOST,
        )
        self._told.clear()
        assert self._process.stderr is not None
        self._listening = asyncio.create_task(_kept(self._process.stderr, self._told))
        said = await self._said(None, START_SECONDS)
        if "failed" in said:
            await self._stop()
            raise Failed(str(said["failed"]))

    async def _said(self, line: bytes | None, seconds: float) -> Json:
        """Its next line, within its time. Whatever else happens ends the process, and is said."""
        process = self._process
        assert process is not None, "started before it is asked"
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            async with asyncio.timeout(seconds):
                if line is not None:
                    process.stdin.write(line + b"\n")
                    await process.stdin.drain()
                heard = await process.stdout.readline()
            if heard:
                said: Any = orjson.loads(heard)
                if isinstance(said, dict):
                    return said
            why = "it ended" if not heard else "what it said is no answer"
        except TimeoutError:
            why = f"it took longer than {seconds:g} s"
        except (BrokenPipeError, ConnectionResetError):
            why = "it ended"
        except ValueError:
            why = f"what it said is no answer, or longer than {LINE_MOST} bytes"
        except asyncio.CancelledError:
            await asyncio.shield(self._stop(patience=0.0))
            raise
        code, told = await self._stop(patience=5.0 if why == "it ended" else 0.0)
        if why == "it ended" and code is not None:
            number = code - 128 if code > 128 else -code
            why += f" by {signal.Signals(number).name}" if number > 0 else f" with {code}"
        raise Failed(f"{why}{f'; it printed: {told}' if told else ''}")

    async def _stop(self, patience: float = 1.0) -> tuple[int | None, str]:
        """End it and all that it started, after so many seconds in which it may end by itself. Its exit code where it
        did, and the last that it printed."""
        process, self._process = self._process, None
        folder, self._folder = self._folder, None
        if process is None:
            return None, ""
        assert process.stdin is not None
        process.stdin.close()
        code = await _ended(process, patience)
        if self._listening is not None:
            # It ends with the last process that holds the pipe, which is none now, or one that was let go.
            await asyncio.wait([self._listening], timeout=1)
            self._listening.cancel()
        if folder is not None:
            await asyncio.to_thread(shutil.rmtree, folder, True)
        return code, self._told.decode(errors="replace").strip()[-TOLD_MOST:]


async def _kept(printed: asyncio.StreamReader, last: bytearray) -> None:
    """Reads all that a scorer prints, or it would wait for somebody to, and keeps the last of it."""
    while piece := await printed.read(1 << 16):
        last += piece
        del last[: -4 * TOLD_MOST]


async def _ended(process: asyncio.subprocess.Process, patience: float) -> int | None:
    """The code that it ended with by itself; None where it had to be killed."""
    try:
        async with asyncio.timeout(patience):
            return await process.wait()
    except TimeoutError:
        pass
    for number, seconds in ((signal.SIGTERM, 2.0), (signal.SIGKILL, 10.0)):
        try:
            if number == signal.SIGTERM:
                process.send_signal(number)
            else:
                os.killpg(process.pid, number)
            async with asyncio.timeout(seconds):
                await process.wait()
                return None
        except (ProcessLookupError, TimeoutError):
            continue
    return None


def readable() -> list[str]:
    """Where Python and its packages are, and the libraries that they load. Not whole prefixes: one may hold more."""
    prefixes = {Path(sys.prefix), Path(sys.base_prefix)}
    of_python = [str(prefix / name) for prefix in sorted(prefixes) for name in ("lib", "lib64", "pyvenv.cfg")]
    of_system = ["/lib", "/lib64", "/usr/lib", "/usr/lib64", "/usr/share", "/etc/ld.so.cache", "/etc/localtime"]
    return [*of_python, *of_system, "/proc/cpuinfo", "/proc/meminfo", "/sys/devices/system/cpu"]


def _laid_out(contents: Mapping[str, bytes]) -> str:
    """A folder of its own, with its files in it, that is its user's."""
    folder = tempfile.mkdtemp(prefix="gatelog-scorer-")
    for name, content in contents.items():
        path = Path(folder) / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    if os.geteuid() == 0:
        for path in (Path(folder), *Path(folder).rglob("*")):
            os.chown(path, jail.NOBODY, jail.NOBODY)
    return folder


ENTRIES: Entries = {
    "python": Entry(about="A function in a Python file of yours.", options=PythonOptions, build=python),
    "installed": Entry(
        about=f"A function that an installed package offers in the entry points `{GROUP}`.",
        options=InstalledOptions,
        build=installed,
    ),
}
