"""Measures `gatelog serve` with keys, journal and SQLite recording on, and holds it to the bar: see docs/performance.md.

    scripts/bench [--write] [--json FILE] [--rounds 3] [--seconds 4] [--connections 32] [--streams 100]

`--write` puts the table into docs/performance.md. The exit code is 1 when a figure is over its bar.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import platform
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[1]
GATELOG = [sys.executable, "-m", "gateway"]
PORT = 4100
PAGE = ROOT / "docs" / "performance.md"
MARKS = ("<!-- measured by scripts/bench --write -->", "<!-- end of what was measured -->")
ROWS = (
    ("cpu_us_per_call", "CPU per call, us", 2.5),
    ("cpu_us_per_chunk", "CPU per streamed chunk, us", 1.6),
    ("calls_per_second", "calls per second, one core", None),
    ("p50_ms", "latency p50, ms", None),
    ("p99_ms", "latency p99, ms", None),
    ("ttft_p50_ms", "time to first chunk p50, ms", None),
    ("ttft_p99_ms", "time to first chunk p99, ms", None),
)
RSS_MB = 100.0


def config(directory: Path) -> dict[str, object]:
    return {
        "server": {"host": "127.0.0.1", "port": PORT},
        "store": f"sqlite:///{directory / 'gatelog.db'}",
        "artifacts": str(directory / "artifacts"),
        "auth": {"mode": "keys"},
        "providers": {"upstream": {"dialect": "openai", "base_url": "http://127.0.0.1:9000/v1", "api_key": "none"}},
        "endpoints": [
            {"name": "bench", "type": "chat", "targets": [{"provider": "upstream", "model": "gpt-4o-mini"}]},
        ],
    }


def measure(directory: Path, options: list[str]) -> dict[str, dict[str, dict[str, float]]]:
    path, out = directory / "bench.yaml", directory / "bench.json"
    path.write_text(yaml.safe_dump(config(directory)))
    made = subprocess.run(
        [*GATELOG, "key", "create", "bench", "--config", str(path)],
        cwd=directory,
        env=environ(),
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    start = shlex.join([*GATELOG, "serve", "--config", str(path)])
    subprocess.run(
        [
            sys.executable,
            str(ROOT / "bench" / "measure.py"),
            "--start",
            start,
            "--port",
            str(PORT),
            "--model",
            "bench",
            "--key",
            made.stdout.strip(),
            "--json",
            str(out),
            *options,
        ],
        cwd=directory,
        env=environ(),
        check=True,
    )
    found: dict[str, dict[str, dict[str, float]]] = json.loads(out.read_text())
    return found


def environ() -> dict[str, str]:
    """Without the provider keys of whoever runs this."""
    return {name: value for name, value in os.environ.items() if not name.endswith(("_API_KEY", "_BASE_URL"))} | {
        "PYTHONPATH": str(ROOT)
    }


def faults(result: dict[str, dict[str, dict[str, float]]]) -> list[str]:
    gateway, ratio = result["median"]["gateway"], result["ratio_to_floor"]
    over = [
        f"{title}: {ratio[key]:.2f} x the floor, and the bar is {bar}"
        for key, title, bar in ROWS
        if bar and ratio[key] > bar
    ]
    rss = max(gateway["rss_mb"], gateway["stream_rss_mb"])
    over += [f"RSS: {rss:.0f} MB, and the bar is {RSS_MB:.0f}"] if rss > RSS_MB else []
    failed = gateway["failed"] + gateway["stream_failed"]
    return over + ([f"{failed:.0f} calls failed"] if failed else [])


def table(result: dict[str, dict[str, dict[str, float]]], command: str) -> str:
    floor, gateway, ratio = (*(result["median"][name] for name in ("floor", "gateway")), result["ratio_to_floor"])
    lines = [
        f"`{command}`, {datetime.datetime.now(datetime.UTC):%d %B %Y}, CPython {platform.python_version()}, "
        f"{os.cpu_count()} shared cores, medians:",
        "",
        "| | floor | Gatelog | ratio | bar |",
        "| --- | ---: | ---: | ---: | ---: |",
    ]
    for key, title, bar in ROWS:
        lines.append(
            f"| {title} | {floor[key]:,.1f} | {gateway[key]:,.1f} | {f'{ratio[key]:.2f}' if key in ratio else ''} | {bar or ''} |"
        )
    rss = [max(found["rss_mb"], found["stream_rss_mb"]) for found in (floor, gateway)]
    lines.append(f"| RSS, MB | {rss[0]:.0f} | {rss[1]:.0f} | | {RSS_MB:.0f} |")
    return "\n".join(lines)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--json", type=Path)
    options, others = parser.parse_known_args()
    with tempfile.TemporaryDirectory(prefix="gatelog-bench-") as directory:
        result = measure(Path(directory), others)
    if options.json:
        options.json.write_text(json.dumps(result, indent=1) + "\n")
    if options.write:
        before, _, rest = PAGE.read_text().partition(MARKS[0])
        _, _, after = rest.partition(MARKS[1])
        command = shlex.join(["scripts/bench", "--write", *others])
        PAGE.write_text(f"{before}{MARKS[0]}\n{table(result, command)}\n{MARKS[1]}{after}")
    over = faults(result)
    print("\n".join(over) or "Within the bar.")
    return 1 if over else 0


if __name__ == "__main__":
    sys.exit(main())
