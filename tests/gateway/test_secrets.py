"""Secrets do not show themselves, and the pepper is kept where only its owner can read it."""

from __future__ import annotations

import json
import logging
import os
import pickle
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import orjson
import pytest

from gateway.secrets import PepperError, Secret, load_pepper


def test_a_secret_shows_as_stars_wherever_it_is_written(caplog: pytest.LogCaptureFixture) -> None:
    secret = Secret("gl-very-secret")
    logging.getLogger("test").warning("the key is %s, %r", secret, [secret])
    written = [
        repr(secret),
        str(secret),
        f"{secret}",
        f"{secret:>10}",
        "%s" % secret,  # noqa: UP031 - one of the ways
        repr({"key": secret}),
        json.dumps({"key": secret}, default=str),
        orjson.dumps({"key": secret}, default=str).decode(),
        caplog.text,
    ]
    assert all("***" in text and "very-secret" not in text for text in written)
    assert secret.reveal() == "gl-very-secret"


def test_a_secret_is_neither_pickled_nor_serialised_unasked() -> None:
    with pytest.raises(TypeError):
        pickle.dumps(Secret("x"))
    with pytest.raises(TypeError):
        json.dumps(Secret("x"))
    assert Secret("x") == Secret("x")
    assert Secret("x") != Secret("y")
    assert Secret("x") != "x"


def test_a_pepper_is_made_once_and_only_its_owner_can_read_it(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        pepper = load_pepper(tmp_path / "pepper")
    finally:
        os.umask(before)
    assert len(pepper) == 32
    assert (tmp_path / "pepper").stat().st_mode & 0o777 == 0o600
    assert load_pepper(tmp_path / "pepper") == pepper
    assert load_pepper(tmp_path / "another") != pepper
    assert sorted(path.name for path in tmp_path.iterdir()) == ["another", "pepper"]


def test_many_that_start_at_once_get_the_same_pepper(tmp_path: Path) -> None:
    with ThreadPoolExecutor(16) as pool:
        peppers = set(pool.map(load_pepper, [tmp_path / "pepper"] * 64))
    assert len(peppers) == 1


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o666])
def test_a_pepper_that_others_can_read_is_refused(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "pepper"
    load_pepper(path)
    path.chmod(mode)
    with pytest.raises(PepperError, match="chmod 600"):
        load_pepper(path)


@pytest.mark.parametrize("content", [b"", b"short", b"x" * 33])
def test_a_damaged_pepper_is_refused_and_not_replaced(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "pepper"
    path.write_bytes(content)
    path.chmod(0o600)
    with pytest.raises(PepperError, match="is not 32 bytes"):
        load_pepper(path)
    assert path.read_bytes() == content


def test_a_pepper_without_a_place_is_an_error_that_names_it(tmp_path: Path) -> None:
    with pytest.raises(PepperError, match="no-such-folder"):
        load_pepper(tmp_path / "no-such-folder" / "pepper")
