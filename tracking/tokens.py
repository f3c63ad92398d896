"""Counts tokens where a provider did not, with the vocabularies that the install brought; never with the network."""

from __future__ import annotations

import gzip
import io
import re
import threading
from binascii import a2b_base64
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson

from providers.chat import Json, Kind

if TYPE_CHECKING:
    from tiktoken import Encoding

VOCABULARIES = Path(__file__).parent / "vocabularies"
BYTES_PER_TOKEN = 3.5
"""For the estimate without a vocabulary. Measured with o200k_base: technical prose in English 3.5, Python 4.1."""
PIECE_MOST = 32_768
"""Characters that are encoded at once: beyond some 100,000 spaces tiktoken's matcher overflows its stack."""
COUNTED_MOST = 1_000_000
"""Characters of one text that are counted; the rest is taken to be like them. A million take at most half a second."""

_R50K = r"'(?:[sdmt]|ll|ve|re)| ?\p{L}++| ?\p{N}++| ?[^\s\p{L}\p{N}]++|\s++$|\s+(?!\S)|\s"
PATTERNS = {
    "r50k_base": _R50K,
    "p50k_base": _R50K,
    "cl100k_base": r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}+| ?[^\s\p{L}\p{N}]++[\r\n]*+"
    r"|\s++$|\s*[\r\n]|\s+(?!\S)|\s",
    "o200k_base": r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+"
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
    r"|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
    r"|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+",
}
"""How each vocabulary cuts a text into words, as tiktoken's `openai_public.py` has it."""
SAME_TEXT = {"gpt2": "r50k_base", "p50k_edit": "p50k_base", "o200k_harmony": "o200k_base"}
"""Encodings that differ only in special tokens, which in a text that we count are text."""
OTHERS = "o200k_base"
"""What models are counted with whose vocabulary is not public."""

PER_MESSAGE, PER_NAME, PER_REPLY = 3, 1, 3
"""https://github.com/openai/openai-cookbook/blob/main/examples/How_to_count_tokens_with_tiktoken.ipynb"""
CHAT_EXACT = ("gpt-4o", "gpt-4.1", "gpt-4-", "gpt-3.5-turbo", "chatgpt-4o-", "ft:gpt-4o", "ft:gpt-3.5-turbo")
CHAT_INEXACT = ("gpt-4o-audio", "gpt-4o-realtime", "gpt-4o-mini-audio", "gpt-4o-mini-realtime", "gpt-3.5-turbo-0301")
"""OpenAI's models whose chats are, and are not, counted to the token by the rule above (recorded exchanges agree)."""
IMAGE_LOW, IMAGE_HIGH = 85, 765
"""Tokens of an image in low detail, and of one of 1024 x 1024 in high detail; its real size is not looked at."""


@dataclass(frozen=True, slots=True)
class Count:
    tokens: int
    exact: bool
    """False: by another vocabulary than the model's own, or by a rule that is not its provider's."""

    def __add__(self, other: Count) -> Count:
        return Count(self.tokens + other.tokens, self.exact and other.exact)


NONE = Count(0, True)


def count_text(text: str, model: str) -> Count:
    """The tokens of a text. What looks like a special token in it is text.

    It takes 0.3 s when a vocabulary is first used, and up to 0.5 s for the longest texts: not for the event loop.
    """
    name, own = _vocabulary_of(model)
    encoding = _encoding(name)
    if encoding is None:
        return Count(_estimate(text), False)
    if len(text) <= PIECE_MOST:
        return Count(len(encoding.encode_ordinary(text)), own)
    counted, seamless = 0, True
    for piece, clean in _pieces(text[:COUNTED_MOST]):
        counted += len(encoding.encode_ordinary(piece))
        seamless = seamless and clean
    if len(text) > COUNTED_MOST:
        return Count(-(-counted * len(text) // COUNTED_MOST), False)
    return Count(counted, own and seamless)


def count_request(kind: Kind, request: Json, model: str) -> Count:
    """The tokens of what a caller asked, as the input that its provider would bill. For the event loop, see above."""
    match kind:
        case "chat":
            return _chat(request, model)
        case "completions":
            counted = _prompts(request["prompt"], model)
            suffix = request.get("suffix")
            return counted + Count(count_text(suffix, model).tokens, False) if suffix else counted
        case "embeddings":
            return _prompts(request["input"], model)


def absent() -> tuple[str, ...]:
    """Vocabularies that the install could not bring; counts that need one of them are estimates."""
    return tuple(name for name in PATTERNS if not _path_of(name).is_file())


def _chat(request: Json, model: str) -> Count:
    ruled = model.startswith(CHAT_EXACT) and not model.startswith(CHAT_INEXACT)
    total = Count(PER_REPLY, ruled or model == "gpt-4")
    for message in request["messages"]:
        total += Count(PER_MESSAGE, True)
        for name, value in message.items():
            total += _field(name, value, model)
    for name in ("tools", "functions", "response_format"):
        if value := request.get(name):
            # How a provider writes these into its prompt is its own affair; their JSON is about as long.
            total += Count(count_text(orjson.dumps(value).decode(), model).tokens, False)
    return total


def _field(name: str, value: Any, model: str) -> Count:
    """What one field of a message adds."""
    match name, value:
        case _, None:
            return NONE
        case "role", str():
            return count_text(value, model)
        case "content", str():
            return count_text(value, model)
        case "content", list():
            return _sum(_part(part, model) for part in value)
        case "name", str():
            return Count(PER_NAME + count_text(value, model).tokens, False)
        case (("tool_calls" | "function_call"), _):
            return Count(count_text(orjson.dumps(value).decode(), model).tokens, False)
        case _:
            return Count(0, False)


def _part(part: Mapping[str, Any], model: str) -> Count:
    match part:
        case {"type": "text", "text": str(text)}:
            return count_text(text, model)
        case {"type": "image_url", "image_url": {"detail": "low"}}:
            return Count(IMAGE_LOW, False)
        case {"type": "image_url"}:
            return Count(IMAGE_HIGH, False)
        case {"type": "refusal", "refusal": str(text)}:
            return Count(count_text(text, model).tokens, False)
        case _:
            return Count(0, False)


def _prompts(given: str | list[str] | list[int] | list[list[int]], model: str) -> Count:
    """A text, several, or tokens already."""
    if isinstance(given, str):
        return count_text(given, model)
    return _sum(
        Count(1, True)
        if isinstance(each, int)
        else Count(len(each), True)
        if isinstance(each, list)
        else count_text(each, model)
        for each in given
    )


def _sum(counts: Iterable[Count]) -> Count:
    return sum(counts, NONE)


def _vocabulary_of(model: str) -> tuple[str, bool]:
    """The vocabulary to count with, and whether it is the model's own."""
    from tiktoken.model import encoding_name_for_model

    try:
        name = encoding_name_for_model(model.rpartition("/")[2])  # routers put the vendor before a slash
    except KeyError:
        return OTHERS, False
    return SAME_TEXT.get(name, name), True


def _estimate(text: str) -> int:
    return -(-len(text.encode(errors="replace")) * 2 // int(BYTES_PER_TOKEN * 2))


_SEAM = re.compile(r"(?<=\S)(?:\n(?=[A-Za-z])|(?= [A-Za-z]))")
"""Where every pattern above begins a new word, whatever comes before or after."""
_SEAM_WITHIN = 4096


def _pieces(text: str) -> Iterator[tuple[str, bool]]:
    """The text in pieces, each with whether the count of the whole is the sum at the cut that ends it."""
    at = 0
    while len(text) - at > PIECE_MOST:
        end = at + PIECE_MOST
        seams = [seam.end() for seam in _SEAM.finditer(text, end - _SEAM_WITHIN, end + 2)]
        cut = seams[-1] if seams else end
        yield text[at:cut], bool(seams)
        at = cut
    yield text[at:], True


def _path_of(name: str) -> Path:
    return VOCABULARIES / f"{name}.tiktoken.gz"


_LOADING = threading.Lock()


def _encoding(name: str) -> Encoding | None:
    with _LOADING:  # two threads at once would hold a vocabulary twice
        return _load(name)


@cache
def _load(name: str) -> Encoding | None:
    """The encoding made from our own copy: tiktoken's loader would fetch what it does not find."""
    path = _path_of(name)
    if not path.is_file():
        return None
    from tiktoken import Encoding

    ranks: dict[bytes, int] = {}
    for line in io.BytesIO(gzip.decompress(path.read_bytes())):
        token, _, rank = line.partition(b" ")
        ranks[a2b_base64(token)] = int(rank)
    encoding = Encoding(name, pat_str=PATTERNS[name], mergeable_ranks=ranks, special_tokens={})
    encoding._mergeable_ranks = {}  # only decoding one token needs them, and they are 25 MB
    return encoding
