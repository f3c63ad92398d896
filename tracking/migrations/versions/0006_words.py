"""Words by the time at which they were said."""

from __future__ import annotations

from alembic import op

revision = "0006"
down_revision = "0005"

SQLITE = (
    # What is there is numbered as it came in: it waits to be indexed anew, in batches as the recorder makes them.
    "INSERT INTO texts_waiting (ids) SELECT group_concat(id, ' ') FROM "
    "(SELECT id, row_number() OVER (ORDER BY id DESC) / 500 AS batch FROM texts) GROUP BY batch ORDER BY batch",
    "DROP TABLE texts_words",
    "DROP TABLE texts",
    "CREATE TABLE texts (number INTEGER NOT NULL PRIMARY KEY, id VARCHAR(32) NOT NULL, words TEXT NOT NULL, "
    "UNIQUE (id))",
    "CREATE VIRTUAL TABLE texts_words USING fts5(words, content='texts', content_rowid='number', "
    "tokenize='unicode61 remove_diacritics 0')",
    "CREATE TRIGGER texts_added AFTER INSERT ON texts BEGIN "
    "INSERT INTO texts_words (rowid, words) VALUES (new.number, new.words); END",
    "CREATE TRIGGER texts_removed AFTER DELETE ON texts BEGIN "
    "INSERT INTO texts_words (texts_words, rowid, words) VALUES ('delete', old.number, old.words); END",
)


def upgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        for statement in SQLITE:
            op.execute(statement)
