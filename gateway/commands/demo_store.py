"""What `gatelog demo seed` writes into a store: calls, their keys, and the prompts that they were made by."""

from __future__ import annotations

import random
import secrets
from itertools import islice

from gateway.commands import demo_words as words
from gateway.commands.demo_calls import CANDIDATE, DAY_US, ENDPOINTS, MEETINGS, SUPPORT, Calls, key_id
from gateway.keys import ADMIN
from promptlab.prompt_versions import NewVersion, tags_of
from promptlab.prompts_api import SOURCE
from providers.assemble import assemble
from providers.chat import Json
from tracking.alias_moves import Move
from tracking.call_tags import CallTags
from tracking.counting import Counting
from tracking.database import Database
from tracking.keys import KeyRecord, KeyStore
from tracking.mlflow.errors import MlflowError
from tracking.money import Price
from tracking.registry import Registry
from tracking.registry_rows import IS_PROMPT
from tracking.rows import Rows
from tracking.texts import Texts
from tracking.tokens import count_request, count_text
from tracking.usage import Keeping
from tracking.writer import Writer

BATCH = 500
PROMPTS = (
    (SUPPORT, "Answers customers, with what the handbook says.", "support", words.SUPPORT, {"temperature": 0.2}),
    (MEETINGS, "Notes of a meeting, for those who were not there.", "summaries", words.MEETINGS, {"max_tokens": 600}),
)
MOVES = (
    (SUPPORT, "production", 1, "the first"),
    (SUPPORT, "production", 2, "two thirds of the words, and no complaint in a week"),
    (SUPPORT, "production", 3, "no guessed order numbers in 200 replies"),
    (SUPPORT, "candidate", CANDIDATE, "for a fifth of the calls"),
    (MEETINGS, "production", 1, "the first"),
    (MEETINGS, "production", 2, "every task has an owner"),
)
KEYS = tuple(dict.fromkeys(endpoint.key for endpoint in ENDPOINTS))
REVOKED = "hackathon"


async def fill(database: Database, calls: int, days: int, seed: int, until_us: int) -> Json:
    """How many of what were made."""
    keys = await _keys(database, days, seed, until_us)
    prompts, versions = await _prompts(Registry(database))
    counting = Counting(request=count_request, text=count_text, assemble=assemble, price=Price.from_snapshot)
    writer, made = Writer(database, Rows(counting)), Calls(seed, until_us, days).made(calls)
    while batch := list(islice(made, BATCH)):
        refused = await writer.write(batch)
        assert not refused, refused[0][1]
    await Keeping(database).settle()
    await Texts(database).index()
    await CallTags(database).index()
    return {"calls": calls, "keys": keys, "prompts": prompts, "versions of prompts": versions}


async def _keys(database: Database, days: int, seed: int, until_us: int) -> int:
    """Nobody has these keys: they are there to have made calls."""
    store, made = KeyStore(database), 0
    known = {record.id for record in await store.all()}
    rng = random.Random(seed)  # noqa: S311 - only how they look
    for name in (*KEYS, REVOKED):
        first4, last4 = (f"{rng.getrandbits(16):04x}" for _ in range(2))
        record = KeyRecord(
            id=key_id(seed, name),
            name=name,
            role="viewer" if name == REVOKED else "caller",
            hash=secrets.token_hex(32),
            first4=first4,
            last4=last4,
            created_us=until_us - (days + rng.randrange(3, 60)) * DAY_US,
            revoked_us=until_us - 5 * DAY_US if name == REVOKED else None,
            last_used_us=until_us - (9 * DAY_US if name == REVOKED else rng.randrange(DAY_US // 24)),
        )
        if record.id not in known:
            await store.create(record)
            made += 1
    return made


async def _prompts(registry: Registry) -> tuple[int, int]:
    """Prompts that have these names already are left as they are."""
    made, versions = set[str](), 0
    for name, description, endpoint, texts, params in PROMPTS:
        try:
            await registry.create_model(name, {IS_PROMPT: "true", "team": "demo"}, description)
        except MlflowError:
            continue
        made.add(name)
        for text in texts:
            new = NewVersion(
                messages=[{"role": "system", "content": text.system}],
                model=endpoint,
                params=dict(params),
                commit_message=text.why,
            )
            await registry.create_version(
                name, SOURCE, user_id=ADMIN.name, description=new.commit_message, tags=tags_of(new)
            )
            versions += 1
    for name, alias, version, note in MOVES:
        if name in made:
            await registry.set_alias(name, alias, version, Move(by=ADMIN, note=note))
    return len(made), versions
