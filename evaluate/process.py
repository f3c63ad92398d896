"""Starts the process in which evaluation computes, and speaks with it in lines of JSON."""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import orjson

from providers.chat import Json
from providers.errors import GatewayError, InvalidRequest

LINE_MOST = 256 << 20
"""Bytes of one line: a grid with all its cells."""
KEPT = frozenset({"PATH", "LANG", "LC_ALL", "TZ", "SYSTEMROOT", "NLTK_DATA"})
"""Of our environment, what the process is given; nothing of it is a secret."""


class WorkerDied(GatewayError):
    """The process ended before it had said all."""

    code = "evaluation_worker_died"


class Worker:
    """One that runs."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def tell(self, message: Json) -> None:
        await self.send(orjson.dumps(message))

    async def send(self, message: bytes) -> None:
        """The same of what is JSON already."""
        assert self._process.stdin is not None, "it was started with pipes"
        try:
            self._process.stdin.write(message + b"\n")
            await self._process.stdin.drain()
        except (ConnectionError, BrokenPipeError) as exc:
            raise WorkerDied(await self._why()) from exc

    async def hear(self) -> Json:
        """The next that it says. Raises WorkerDied at its end, and InvalidRequest where it says that it failed."""
        assert self._process.stdout is not None, "it was started with pipes"
        try:
            line = await self._process.stdout.readline()
        except ValueError as exc:
            raise WorkerDied(f"the evaluation's worker said a line of more than {LINE_MOST} bytes") from exc
        if not line:
            raise WorkerDied(await self._why())
        said: Json = orjson.loads(line)
        if "failed" in said:
            raise InvalidRequest(said["failed"])
        return said

    async def _why(self) -> str:
        assert self._process.stderr is not None, "it was started with pipes"
        said = (await self._process.stderr.read(64 << 10)).decode(errors="replace").strip().splitlines()
        code = await self._process.wait()
        last = said[-1][:300] if said else "it said nothing"
        return f"the evaluation's worker ended with {code}: {last}"


@asynccontextmanager
async def started(mode: str, first: Json) -> AsyncIterator[Worker]:
    """It is killed at the end, whatever it was doing."""
    with tempfile.TemporaryDirectory(prefix="gatelog-evaluate-") as folder:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "evaluate.worker", mode),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            cwd=folder,
            env=environment(folder),
            limit=LINE_MOST,
            start_new_session=True,
        )
        try:
            worker = Worker(process)
            # It may be a whole grid, which takes longer to write than the event loop may be kept.
            await worker.send(await asyncio.to_thread(orjson.dumps, first))
            yield worker
        finally:
            if process.returncode is None:
                process.kill()
            await process.wait()


async def asked(mode: str, question: Json, answer: str, seconds: float) -> Any:
    """One question and its answer."""
    try:
        async with asyncio.timeout(seconds), started(mode, question) as worker:
            return (await worker.hear())[answer]
    except TimeoutError as exc:
        raise WorkerDied(f"the evaluation's worker did not answer within {seconds:g} s") from exc


def environment(home: str) -> Mapping[str, str]:
    """Of the process: what it needs to start, and one thread for numbers, as the gateway has the other cores."""
    kept = {name: value for name, value in os.environ.items() if name in KEPT}
    path = os.pathsep.join(each for each in (str(Path(__file__).parents[1]), os.environ.get("PYTHONPATH", "")) if each)
    return {
        **kept,
        "HOME": home,
        "PYTHONPATH": path,
        "PYTHONDONTWRITEBYTECODE": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "OMP_NUM_THREADS": "1",
    }
