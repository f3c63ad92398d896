"""Tokens are counted as tiktoken counts them, without ever asking the network for a vocabulary."""

from __future__ import annotations

import gzip
import hashlib
import inspect
import json
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import tiktoken
import tiktoken_ext.openai_public  # type: ignore[import-untyped]  # it has no types
from hypothesis import given
from hypothesis import strategies as st

import hatch_build
from tracking import tokens
from tracking.tokens import PATTERNS, Count, count_request, count_text

ROOT = Path(__file__).parents[2]
WIRE = ROOT.parent / "shared" / "wire" / "openai.jsonl"

bundled = pytest.mark.skipif(bool(tokens.absent()), reason="the install could not fetch the vocabularies")


@bundled
@pytest.mark.parametrize(
    ("text", "model", "expected"),
    [
        # The OpenAI cookbook's table, for r50k_base, p50k_base, cl100k_base and o200k_base.
        ("antidisestablishmentarianism", "ada", 5),
        ("antidisestablishmentarianism", "text-davinci-003", 5),
        ("antidisestablishmentarianism", "gpt-4", 6),
        ("antidisestablishmentarianism", "gpt-4o", 6),
        ("2 + 2 = 4", "ada", 5),
        ("2 + 2 = 4", "text-davinci-003", 5),
        ("2 + 2 = 4", "gpt-4", 7),
        ("2 + 2 = 4", "gpt-4o", 7),
        ("お誕生日おめでとう", "ada", 14),
        ("お誕生日おめでとう", "text-davinci-003", 14),
        ("お誕生日おめでとう", "gpt-4", 9),
        ("お誕生日おめでとう", "gpt-4o", 8),
        ("tiktoken is great!", "gpt-4", 6),
        ("", "gpt-4o", 0),
        ("<|endoftext|>", "gpt-4", 7),
    ],
)
def test_a_text_has_the_tokens_that_openai_says(text: str, model: str, expected: int) -> None:
    assert count_text(text, model) == Count(expected, True)


@bundled
@pytest.mark.parametrize("name", sorted(PATTERNS))
def test_a_vocabulary_is_tiktokens_own(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """tiktoken takes our file for the one that it would fetch, by its digest; what it makes of it is what we have."""
    source = inspect.getsource(tiktoken_ext.openai_public)
    place = re.search(rf'"(\S+/{name}\.tiktoken)"', source)
    assert place is not None
    cached = tmp_path / hashlib.sha1(place[1].encode(), usedforsecurity=False).hexdigest()
    cached.write_bytes(gzip.decompress(hatch_build.path_of(name).read_bytes()))
    monkeypatch.setenv("TIKTOKEN_CACHE_DIR", str(tmp_path))
    theirs = tiktoken_ext.openai_public.ENCODING_CONSTRUCTORS[name]()
    assert theirs["pat_str"] == PATTERNS[name]
    assert hatch_build.DIGESTS[name] in source
    ours = tokens._encoding(name)
    assert ours is not None
    reference = tiktoken.Encoding(**theirs)
    assert [len(ours.encode_ordinary(text)) for text in ("a b\n\n  c's 1234", "é中🙂")] == [
        len(reference.encode_ordinary(text)) for text in ("a b\n\n  c's 1234", "é中🙂")
    ]


@bundled
@pytest.mark.parametrize(
    ("model", "exact"),
    [
        ("gpt-4o-mini-2024-07-18", True),
        ("openai/gpt-4.1", True),
        ("gpt-oss-120b", True),
        ("text-embedding-3-small", True),
        ("claude-sonnet-4-5", False),
        ("gemini-2.5-pro", False),
        ("llama-3.1-8b", False),
    ],
)
def test_a_model_whose_vocabulary_is_not_public_is_counted_and_marked(model: str, exact: bool) -> None:
    assert count_text("The quick brown fox", model) == Count(4, exact)


@bundled
def test_a_chat_is_counted_as_the_cookbook_does() -> None:
    messages: list[dict[str, Any]] = [
        {
            "role": "system",
            "content": "You are a helpful, pattern-following assistant that translates corporate jargon "
            "into plain English.",
        },
        {"role": "system", "name": "example_user", "content": "New synergies will help drive top-line growth."},
        {
            "role": "system",
            "name": "example_assistant",
            "content": "Things working well together will increase revenue.",
        },
        {
            "role": "system",
            "name": "example_user",
            "content": "Let's circle back when we have more bandwidth to touch base on opportunities "
            "for increased leverage.",
        },
        {
            "role": "system",
            "name": "example_assistant",
            "content": "Let's talk later when we're less busy about how to do better.",
        },
        {
            "role": "user",
            "content": "This late pivot means we don't have time to boil the ocean for the client deliverable.",
        },
    ]
    assert count_request("chat", {"model": "x", "messages": messages}, "gpt-4-0613").tokens == 129
    assert count_request("chat", {"model": "x", "messages": messages}, "gpt-4o").tokens == 124


@bundled
@pytest.mark.skipif(not WIRE.is_file(), reason="the recorded exchanges are not here")
def test_plain_chats_completions_and_embeddings_are_counted_as_openai_billed_them() -> None:
    compared = {"chat": 0, "completions": 0, "embeddings": 0}
    for request, prompt_tokens, kind in billed():
        counted = count_request(kind, request, request["model"])  # type: ignore[arg-type]  # one of the three
        if counted.exact:
            assert counted.tokens == prompt_tokens, request
            compared[kind] += 1
    assert compared["chat"] >= 80
    assert compared["completions"] >= 4
    assert compared["embeddings"] >= 5


def billed() -> Iterator[tuple[dict[str, Any], int, str]]:
    for line in WIRE.read_text().splitlines():
        exchange = json.loads(line)
        request, response = exchange["request"]["body"], exchange["response"]
        if exchange["surface"] not in {"chat", "completions", "embeddings"} or response["status"] != 200:
            continue
        if response["body_type"] == "json" and (usage := response["body"].get("usage")):
            # A request may name an alias; the answer names the model, and so its rule.
            request["model"] = response["body"]["model"]
            yield request, usage["prompt_tokens"], exchange["surface"]


@bundled
@pytest.mark.parametrize(
    "extra",
    [
        {"tools": [{"type": "function", "function": {"name": "f", "parameters": {}}}]},
        {
            "messages": [
                {"role": "user", "content": [{"type": "image_url", "image_url": {"url": "data:,", "detail": "low"}}]}
            ]
        },
        {
            "messages": [
                {"role": "assistant", "tool_calls": [{"id": "1", "function": {"name": "f", "arguments": "{}"}}]}
            ]
        },
        {"response_format": {"type": "json_schema", "json_schema": {"name": "x", "schema": {}}}},
        {
            "messages": [
                {"role": "user", "content": [{"type": "input_audio", "input_audio": {"data": "", "format": "wav"}}]}
            ]
        },
    ],
)
def test_what_providers_write_into_the_prompt_their_own_way_is_counted_roughly_and_marked(
    extra: dict[str, Any],
) -> None:
    plain = {"model": "m", "messages": [{"role": "user", "content": "hi"}]}
    counted = count_request("chat", {**plain, **extra}, "gpt-4o")
    assert not counted.exact
    assert counted.tokens >= 6
    assert count_request("chat", plain, "gpt-4o") == Count(8, True)


@bundled
def test_prompts_that_are_tokens_already_are_only_counted() -> None:
    assert count_request("completions", {"prompt": [1, 2, 3]}, "gpt-4o") == Count(3, True)
    assert count_request("embeddings", {"input": [[1, 2], [3]]}, "text-embedding-3-small") == Count(3, True)
    assert count_request("embeddings", {"input": ["hello world", "hello"]}, "text-embedding-3-small") == Count(3, True)


words = st.sampled_from(
    [
        "the",
        "a",
        " ",
        "  ",
        "\n",
        "\n\n",
        "\r\n",
        "'s",
        "don't",
        "1234",
        "!?",
        "/",
        "é",
        "中文",
        "🙂",
        "A",
        "aB",
        "\t",
        "́",
        "x y",
    ]
)


@bundled
@given(st.lists(words, max_size=60).map("".join), st.sampled_from(sorted(PATTERNS)))
def test_a_text_cut_at_every_seam_counts_as_the_whole(text: str, name: str) -> None:
    encoding = tokens._encoding(name)
    assert encoding is not None
    whole = len(encoding.encode_ordinary(text))
    for seam in tokens._SEAM.finditer(text):
        left, right = text[: seam.end()], text[seam.end() :]
        assert len(encoding.encode_ordinary(left)) + len(encoding.encode_ordinary(right)) == whole


@bundled
def test_a_long_text_is_counted_in_pieces_and_still_exactly() -> None:
    sentence = "The quick brown fox jumps over the lazy dog.\nAnd again, it's 1234 times!\n"
    text = sentence * 5000
    encoding = tokens._encoding("o200k_base")
    assert encoding is not None
    assert count_text(text, "gpt-4o") == Count(len(encoding.encode_ordinary(text)), True)


@bundled
@pytest.mark.parametrize("character", ["a", " ", "\n", "é", "\u3000", " \n", "!", "1", "中", "\u0301"])
def test_a_million_characters_without_a_seam_neither_hang_nor_crash(character: str) -> None:
    began = time.process_time()
    counted = count_text(character * (3_000_000 // len(character)), "gpt-4o")
    assert time.process_time() - began < 10
    assert counted.tokens > 1000
    assert not counted.exact


def test_without_a_vocabulary_a_count_is_an_estimate_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tokens._load.cache_clear()
    monkeypatch.setattr(tokens, "VOCABULARIES", tmp_path)
    try:
        assert tokens.absent() == tuple(PATTERNS)
        assert count_text("x" * 35, "gpt-4o") == Count(10, False)
        assert count_text("", "gpt-4o") == Count(0, False)
        assert not count_request("chat", {"messages": [{"role": "user", "content": "hi"}]}, "gpt-4o").exact
    finally:
        tokens._load.cache_clear()


def test_counting_never_touches_the_network_with_or_without_vocabularies() -> None:
    script = """
import os, socket, sys, tempfile
from pathlib import Path
for name in [name for name in os.environ if name.lower().endswith("_proxy")]: del os.environ[name]
os.environ["TIKTOKEN_CACHE_DIR"] = tempfile.mkdtemp()
def refuse(*args, **kwargs): raise AssertionError("the network was touched")
socket.socket.connect = socket.socket.connect_ex = socket.getaddrinfo = refuse
from tracking import tokens
assert "tiktoken" not in sys.modules, "it is imported when something is counted"
for name in ("gpt-4o", "gpt-4", "ada", "text-davinci-003", "claude-3", "gpt2", "gpt-oss-20b"):
    assert tokens.count_text("hello world", name).tokens > 0
tokens.VOCABULARIES = Path(tempfile.mkdtemp())
tokens._load.cache_clear()
assert tokens.count_text("hello world", "gpt-4o") == tokens.Count(4, False)
assert os.listdir(os.environ["TIKTOKEN_CACHE_DIR"]) == []
"""
    subprocess.run([sys.executable, "-c", script], cwd=ROOT, check=True, timeout=60)
