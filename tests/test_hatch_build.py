"""The build fetches vocabularies from the registry that npm is set up for; no install fails for want of them."""

from __future__ import annotations

import functools
import gzip
import http.server
import io
import json
import os
import shutil
import subprocess
import sys
import tarfile
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

import hatch_build

ROOT = Path(__file__).parents[1]
pytestmark = pytest.mark.skipif(bool(hatch_build.missing()), reason="the install could not fetch the vocabularies")


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A copy of the build alone, without vocabularies."""
    place = tmp_path / "checkout"
    (place / "tracking").mkdir(parents=True)
    for name in ("hatch_build.py", "hatch_web.py"):
        shutil.copy(ROOT / name, place)
    return place


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[Path]:
    """A folder that is served over HTTP."""
    served = tmp_path / "registry"
    (served / hatch_build.PACKAGE / "-").mkdir(parents=True)
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=str(served))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    (served / "port").write_text(str(server.server_port))
    try:
        yield served
    finally:
        server.shutdown()
        server.server_close()


def publish(registry: Path, *, tampered: bool = False) -> None:
    path = registry / hatch_build.PACKAGE / "-" / f"{hatch_build.PACKAGE}-{hatch_build.VERSION}.tgz"
    path.write_bytes(package(tampered))


@functools.cache
def package(tampered: bool) -> bytes:
    """Made of the vocabularies that are here."""
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w:gz", compresslevel=1) as archive:
        for name in hatch_build.DIGESTS:
            pairs = [line.split() for line in gzip.decompress(hatch_build.path_of(name).read_bytes()).splitlines()]
            if tampered:
                pairs[7], pairs[8] = [pairs[8][0], pairs[7][1]], [pairs[7][0], pairs[8][1]]
            ranks = "\n".join(f"! {rank.decode()} {token.decode()}" for token, rank in pairs)
            script = f"export default {json.dumps({'bpe_ranks': ranks})};".encode()
            entry = tarfile.TarInfo(f"package/dist/ranks/{name}.js")
            entry.size = len(script)
            archive.addfile(entry, io.BytesIO(script))
    return made.getvalue()


def build(checkout: Path, registry: Path | None, switch: str | None) -> subprocess.CompletedProcess[str]:
    """`python hatch_build.py` where there is no npm, nor anything that a user has configured."""
    environment = {"PATH": "/nonexistent", "HOME": str(checkout)}
    if registry is not None:
        environment["npm_config_registry"] = f"http://127.0.0.1:{(registry / 'port').read_text()}/"
    if switch is not None:
        environment[hatch_build.SWITCH] = switch
    return subprocess.run(
        [sys.executable, "hatch_build.py"], cwd=checkout, env=environment, capture_output=True, text=True, timeout=120
    )


def vocabularies(checkout: Path) -> list[str]:
    return sorted(path.name for path in (checkout / "tracking" / "vocabularies").glob("*.gz"))


def test_the_registry_of_npm_is_used_where_there_is_no_npm(checkout: Path, registry: Path) -> None:
    publish(registry)
    done = build(checkout, registry, None)
    assert done.returncode == 0, done.stderr
    assert vocabularies(checkout) == sorted(hatch_build.path_of(name).name for name in hatch_build.DIGESTS)
    for name in vocabularies(checkout):
        assert (checkout / "tracking/vocabularies" / name).read_bytes() == (
            hatch_build.VOCABULARIES / name
        ).read_bytes()
    (registry / hatch_build.PACKAGE / "-" / f"{hatch_build.PACKAGE}-{hatch_build.VERSION}.tgz").unlink()
    assert build(checkout, registry, None).returncode == 0, "what is there is not fetched again"


def test_a_damaged_vocabulary_is_fetched_again(checkout: Path, registry: Path) -> None:
    publish(registry)
    build(checkout, registry, None)
    damaged = checkout / "tracking/vocabularies" / vocabularies(checkout)[0]
    whole = damaged.read_bytes()
    damaged.write_bytes(whole[:1000])
    assert build(checkout, registry, None).returncode == 0
    assert damaged.read_bytes() == whole


def test_a_vocabulary_that_is_not_tiktokens_is_refused(checkout: Path, registry: Path) -> None:
    publish(registry, tampered=True)
    done = build(checkout, registry, None)
    assert done.returncode != 0
    assert "is not tiktoken's: its SHA-256 is" in done.stderr
    assert vocabularies(checkout) == []


@pytest.mark.parametrize("reachable", [True, False])
def test_an_install_without_vocabularies_succeeds_and_keeps_the_reason(
    checkout: Path, registry: Path, reachable: bool
) -> None:
    done = build(checkout, registry if reachable else None, "auto")
    assert done.returncode == 0, done.stderr
    assert "tokens that we count are estimates" in done.stdout
    assert (checkout / "tracking/vocabularies/.failed").read_text().strip()
    publish(registry)
    again = build(checkout, registry, "auto")
    assert again.stdout == "", "a second attempt in the same install does not wait for a dead network again"
    assert build(checkout, registry, "require").returncode == 0
    assert not (checkout / "tracking/vocabularies/.failed").exists()


def test_whoever_wants_no_download_gets_none(checkout: Path, registry: Path) -> None:
    publish(registry)
    assert build(checkout, registry, "skip").returncode == 0
    assert vocabularies(checkout) == []


def test_a_switch_that_means_nothing_is_refused(checkout: Path) -> None:
    done = build(checkout, None, "maybe")
    assert done.returncode != 0
    assert "must be auto, require or skip, not 'maybe'" in done.stderr


def test_an_npmrc_says_where_packages_come_from(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.lower() == "npm_config_registry"]:
        monkeypatch.delenv(name)
    npmrc = tmp_path / "npmrc"
    npmrc.write_text("fund=false\nregistry = 'http://npm.example/mirror/'\n")
    monkeypatch.setenv("NPM_CONFIG_USERCONFIG", str(npmrc))
    assert hatch_build._registry() == "http://npm.example/mirror/"
