"""What was said in calls, many calls to a block."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import orjson
import sqlalchemy as sa
import zstandard
from alembic import op

revision = "0008"
down_revision = "0007"

AT_ONCE = 200

NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
calls = sa.table("calls", sa.column("id"), sa.column("payload_block"))
payloads = sa.table(
    "payloads",
    *map(sa.column, ("id", "request", "response", "response_type", "encoding")),
    sa.column("attempts", sa.JSON),
    sa.column("price", sa.JSON),
)


def upgrade() -> None:
    blocks = op.create_table(
        "payload_blocks",
        sa.Column("number", NUMBER, primary_key=True, autoincrement=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sa.Column("encoding", sa.String, nullable=False),
    )
    op.add_column("calls", sa.Column("payload_block", sa.BigInteger))
    connection, after = op.get_bind(), ""
    next_rows = sa.select(payloads).where(payloads.c.id > sa.bindparam("after")).order_by(payloads.c.id).limit(AT_ONCE)
    while rows := connection.execute(next_rows, {"after": after}).all():
        after = rows[-1].id
        # As `tracking.payloads` numbers them.
        number = int(rows[0].id[:12], 16) << 20 | int(rows[0].id[-5:], 16)
        connection.execute(blocks.insert(), {"number": number, "body": _block(rows), "encoding": "zstd"})
        of_these = calls.c.id.in_([row.id for row in rows])
        connection.execute(sa.update(calls).where(of_these).values(payload_block=number))
    op.drop_table("payloads")


def _block(rows: Sequence[Any]) -> bytes:
    bodies = [(_plain(row.request, row.encoding), _plain(row.response, row.encoding)) for row in rows]
    index = orjson.dumps(
        [
            (row.id, len(request), len(response), row.response_type, row.attempts, row.price)
            for row, (request, response) in zip(rows, bodies, strict=True)
        ]
    )
    whole = b"".join((len(index).to_bytes(4, "little"), index, *(body for pair in bodies for body in pair)))
    return zstandard.ZstdCompressor(level=1).compress(whole)


def _plain(body: bytes | None, encoding: str) -> bytes:
    if not body:
        return b""
    return zstandard.ZstdDecompressor().decompressobj().decompress(body) if encoding == "zstd" else bytes(body)
