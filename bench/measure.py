"""What a gateway costs per call and per streamed chunk, as a ratio to the floor, both measured in one run.

    python measure.py --start 'gatelog serve --config bench.yaml --port 4100' --port 4100 --model bench [--key KEY]
                      [--rounds 3] [--seconds 4] [--connections 32] [--streams 100] [--json out.json]

Needs uvicorn, uvloop, httptools, orjson and psutil, and Debian's wrk on the PATH. `upstream.py` answers on port 9000:
point the gateway's provider there (http://127.0.0.1:9000/v1). The gateway under test runs on core 0, everything else
on core 1; the two take turns, round by round, so that a machine whose speed drifts slows both. Quote the ratios: the
absolute figures hold for one machine and one day.
"""

import argparse
import asyncio
import json
import re
import shlex
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil
import uvloop

HERE = Path(__file__).parent
MESSAGES = [
    {"role": "system", "content": "You are a helpful assistant that answers in one paragraph."},
    {"role": "user", "content": "What is the capital of France, and why did it become the capital?"},
]


def processes(pid: int) -> list[psutil.Process]:
    parent = psutil.Process(pid)
    return [parent, *parent.children(recursive=True)]


def cpu_seconds(pid: int) -> float:
    return sum(sum(p.cpu_times()[:2]) for p in processes(pid))


def resident_mb(pid: int) -> float:
    return sum(p.memory_info().rss for p in processes(pid)) / 1e6


def milliseconds(text: str) -> float:
    number, unit = re.fullmatch(r"([\d.]+)(us|ms|s)", text).groups()
    return float(number) * {"us": 1e-3, "ms": 1.0, "s": 1e3}[unit]


class Target:
    """A running server under test: how to start it, and how to ask it."""

    def __init__(
        self, name: str, command: str, port: int, model: str, key: str, path: str = "/v1/chat/completions"
    ) -> None:
        self.name, self.port, self.model, self.key, self.path = name, port, model, key, path
        self.process = subprocess.Popen(["taskset", "-c", "0", *shlex.split(command)], stdout=subprocess.DEVNULL)

    @property
    def pid(self) -> int:
        return self.process.pid

    def wait(self) -> None:
        for _ in range(300):
            if subprocess.run(["curl", "-s", "-o", "/dev/null", f"http://127.0.0.1:{self.port}/"]).returncode == 0:
                return
            time.sleep(0.1)
        sys.exit(f"{self.name} did not answer on port {self.port}")

    def body(self, stream: bool) -> bytes:
        extra = {"stream": True, "stream_options": {"include_usage": True}} if stream else {}
        return json.dumps(
            {"model": self.model, "messages": MESSAGES, "temperature": 0.7, "max_tokens": 256, **extra},
            separators=(",", ":"),
        ).encode()

    def stop(self) -> None:
        family = processes(self.pid) if psutil.pid_exists(self.pid) else []
        for process in reversed(family):
            process.terminate()
        for process in psutil.wait_procs(family, 15)[1]:
            process.kill()


def calls(target: Target, seconds: int, connections: int) -> dict[str, float]:
    script = tempfile.NamedTemporaryFile("w", suffix=".lua", delete=False)
    script.write(f"""wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
wrk.headers["Authorization"] = "Bearer {target.key}"
wrk.body = [==[{target.body(False).decode()}]==]
""")
    script.close()
    before = cpu_seconds(target.pid)
    out = subprocess.run(
        [
            "taskset",
            "-c",
            "1",
            "wrk",
            "-t1",
            f"-c{connections}",
            f"-d{seconds}",
            "--latency",
            "-s",
            script.name,
            f"http://127.0.0.1:{target.port}{target.path}",
        ],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    spent = cpu_seconds(target.pid) - before
    count = int(re.search(r"(\d+) requests in", out)[1])
    bad = re.search(r"Non-2xx or 3xx responses: (\d+)", out)
    lost = re.search(r"Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)", out)
    failed = (int(bad[1]) if bad else 0) + (sum(map(int, lost.groups())) if lost else 0)
    latency = out[out.index("Latency Distribution") :]
    return {
        "cpu_us_per_call": spent / count * 1e6,
        "calls_per_second": float(re.search(r"Requests/sec:\s+(\S+)", out)[1]),
        "p50_ms": milliseconds(re.search(r"50%\s+(\S+)", latency)[1]),
        "p99_ms": milliseconds(re.search(r"99%\s+(\S+)", latency)[1]),
        "failed": failed,
        "rss_mb": resident_mb(target.pid),
    }


class Reader(asyncio.Protocol):
    def __init__(self, request: bytes, rounds: int, tally: dict, finished: asyncio.Future) -> None:
        self.request, self.left, self.tally, self.finished = request, rounds, tally, finished

    def connection_made(self, transport) -> None:
        self.transport = transport
        self.ask()

    def ask(self) -> None:
        self.tail, self.first, self.asked = b"", True, time.perf_counter()
        self.transport.write(self.request)

    def data_received(self, data: bytes) -> None:
        seen = self.tail + data
        self.tally["chunks"] += seen.count(b"data:") - self.tail.count(b"data:")
        if self.first and b"data:" in seen:
            self.first = False
            self.tally["ttft"].append(time.perf_counter() - self.asked)
        self.tail = seen[-12:]
        if seen.endswith(b"0\r\n\r\n"):
            self.tally["streams"] += 1
            self.left -= 1
            self.ask() if self.left else self.transport.close()

    def connection_lost(self, error) -> None:
        self.tally["failed"] += self.left
        if not self.finished.done():
            self.finished.set_result(None)


async def read_streams(target: Target, streams: int, rounds: int) -> dict:
    body = target.body(True)
    request = (
        f"POST {target.path} HTTP/1.1\r\nHost: 127.0.0.1:{target.port}\r\nAuthorization: Bearer {target.key}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    ).encode() + body
    tally = {"chunks": 0, "streams": 0, "failed": 0, "ttft": []}
    loop = asyncio.get_running_loop()
    finished = [loop.create_future() for _ in range(streams)]
    for future in finished:
        await loop.create_connection(lambda: Reader(request, rounds, tally, future), "127.0.0.1", target.port)
    await asyncio.wait_for(asyncio.gather(*finished), 120)
    return tally


def streams(target: Target, count: int) -> dict[str, float]:
    before = cpu_seconds(target.pid)
    tally = asyncio.run(read_streams(target, count, 2))
    spent = cpu_seconds(target.pid) - before
    ttft = sorted(tally["ttft"]) or [float("nan")]
    return {
        "cpu_us_per_chunk": spent / max(1, tally["chunks"]) * 1e6,
        "ttft_p50_ms": ttft[len(ttft) // 2] * 1e3,
        "ttft_p99_ms": ttft[int(len(ttft) * 0.99)] * 1e3,
        "failed": tally["failed"],
        "rss_mb": resident_mb(target.pid),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--start", required=True)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--model", required=True)
    parser.add_argument("--key", default="none")
    parser.add_argument("--path", default="/v1/chat/completions")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=4)
    parser.add_argument("--connections", type=int, default=32)
    parser.add_argument("--streams", type=int, default=100)
    parser.add_argument("--json")
    options = parser.parse_args()
    psutil.Process().cpu_affinity([1])
    uvloop.install()
    upstream = subprocess.Popen([sys.executable, str(HERE / "upstream.py")])
    floor = Target(
        "floor",
        f"{sys.executable} -m uvicorn floor:app --app-dir {HERE} --port 9100 --loop uvloop --http httptools "
        "--no-access-log --log-level warning",
        9100,
        "any",
        "none",
    )
    subject = Target("gateway", options.start, options.port, options.model, options.key, options.path)
    try:
        rows: dict[str, list[dict]] = {"floor": [], "gateway": []}
        for target in (floor, subject):
            target.wait()
            calls(target, 1, options.connections)
        for _ in range(options.rounds):
            for target in (floor, subject):
                rows[target.name].append(
                    calls(target, options.seconds, options.connections)
                    | {
                        "stream_" + name if name in ("failed", "rss_mb") else name: value
                        for name, value in streams(target, options.streams).items()
                    }
                )
        median = {
            name: {key: statistics.median(row[key] for row in found) for key in found[0]}
            for name, found in rows.items()
        }
        ratio = {
            key: median["gateway"][key] / median["floor"][key]
            for key in ("cpu_us_per_call", "cpu_us_per_chunk", "p50_ms", "p99_ms", "ttft_p50_ms")
        }
        result = {"median": median, "ratio_to_floor": ratio}
        print(f"{'':18}{'floor':>12}{'gateway':>12}{'ratio':>8}")
        for key in median["floor"]:
            print(
                f"{key:18}{median['floor'][key]:12.1f}{median['gateway'][key]:12.1f}"
                + (f"{ratio[key]:8.2f}" if key in ratio else "")
            )
        if options.json:
            Path(options.json).write_text(json.dumps(result, indent=1))
    finally:
        subject.stop(), floor.stop(), upstream.terminate()


if __name__ == "__main__":
    main()
