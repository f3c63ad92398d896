"""What a filter means: its tree as an SQL expression, in which every word of the caller's is a bound parameter.

Logic is SQL's, of three values: a comparison with something unknown is itself unknown, NOT of unknown is unknown, and
only what is true is found. So neither `params.model = 'a'` nor `NOT params.model = 'a'` finds a run without a model;
`IS NULL` does. LIKE minds case and ILIKE does not (of the letters A to Z), on SQLite and PostgreSQL alike.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import ROUND_CEILING, ROUND_FLOOR, Context, Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy.sql.elements import ColumnElement

from tracking.fields import SECTIONS, Field, Fields, Type
from tracking.grammar import And, Comparison, Key, Not, Operator, Or, Source, Tree, Value, parse
from tracking.usage_tables import LAST_NUMBER, texts, texts_words

MOST_WILDCARDS = 16
"""Of `%` in one pattern: each may multiply the work of matching by the length of the text."""
LONGEST_PATTERN = 1_000

Condition = ColumnElement[bool]
_WORD = re.compile(r"[^\W_]+")


def words(text: str) -> list[str]:
    """As they are indexed: what stands between characters that are neither letter nor digit, in small letters."""
    return _WORD.findall(text.casefold())


def where(source: Source, fields: Fields, dialect: str) -> Condition:
    """The condition of a filter, for the database whose SQLAlchemy dialect has this name."""
    tree = parse(source)
    return sa.true() if tree is None else _Compiler(source, fields, dialect).condition(tree)


def compared(tree: Tree, source: Source, fields: Fields, dialect: str) -> Condition:
    """The condition of a part of a filter."""
    return _Compiler(source, fields, dialect).condition(tree)


def narrowed(name: str, text: str, fields: Fields, dialect: str) -> Condition:
    """The condition of one of `NARROWING`, a query parameter that is a whole filter for those who need no more."""
    section, key, operator = NARROWING[name]
    source = Source(text, name)
    # A whole comparison is parsed, so that a text no column can hold is refused here as it is in a filter.
    if (bad := re.search("[\x00\ud800-\udfff]", text)) is not None:
        raise source.fault(bad.start(), f"found {bad[0]!r}, which no stored text can hold")
    value = Value(Decimal(text) if re.fullmatch(r"\d{1,18}", text, re.ASCII) and key == "start_time" else text, 0)
    return _Compiler(source, fields, dialect).condition(Comparison(Key(section, key, 0), operator, 0, (value,)))


NARROWING: Mapping[str, tuple[str, str, Operator]] = {
    "endpoint": ("params", "endpoint", "="),
    "model": ("params", "model", "="),
    "provider": ("params", "provider", "="),
    "status": ("attributes", "status", "="),
    "since": ("attributes", "start_time", ">="),
    "until": ("attributes", "start_time", "<"),
}


class _Compiler:
    def __init__(self, source: Source, fields: Fields, dialect: str) -> None:
        self._source = source
        self._fields = fields
        self._dialect = dialect

    def condition(self, tree: Tree) -> Condition:
        match tree:
            case And(terms):
                return sa.and_(*map(self.condition, terms))
            case Or(terms):
                return sa.or_(*map(self.condition, terms))
            case Not(term):
                return sa.not_(self.condition(term))
            case Comparison():
                return self._comparison(tree)

    def _comparison(self, comparison: Comparison) -> Condition:
        field = self._fields.find(comparison.key, self._source, self._dialect)
        operator = comparison.operator
        if operator == "IS NULL":
            return field.column.is_(None)
        if operator not in OPERATORS[field.type]:
            allowed = ", ".join(OPERATORS[field.type])
            kind = NOUNS[field.type]
            raise self._source.fault(
                comparison.at, f"{operator} does not compare {kind}; {comparison.key.name} takes {allowed}, IS NULL"
            )
        if operator in ("LIKE", "ILIKE"):
            return self._like(field, operator, comparison.values[0])
        values = [_READ[field.type](self._source, comparison.key, value) for value in comparison.values]
        if field.type == "words":
            return field.column.in_(_WITH_WORDS[self._dialect](values[0]))
        return _COMPARE[field.type](field, operator, values)

    def _like(self, field: Field, operator: str, value: Value) -> Condition:
        assert isinstance(value.value, str)
        if len(value.value) > LONGEST_PATTERN:
            raise self._source.fault(value.at, f"a pattern has at most {LONGEST_PATTERN} characters")
        pattern = _pattern(value.value)
        if sum(piece == "%" for piece, wild in pattern if wild) > MOST_WILDCARDS:
            raise self._source.fault(value.at, f"a pattern has at most {MOST_WILDCARDS} times '%'")
        return _LIKE[self._dialect, operator](field.column, pattern)


OPERATORS: Mapping[Type, tuple[Operator, ...]] = {
    "text": ("=", "!=", "LIKE", "ILIKE", "IN"),
    "number": ("=", "!=", "<", "<=", ">", ">=", "IN"),
    "real": ("=", "!=", "<", "<=", ">", ">=", "IN"),
    "time": ("=", "!=", "<", "<=", ">", ">="),
    "words": ("=",),
    "flag": ("=", "!="),
}
NOUNS: Mapping[Type, str] = {
    "text": "texts",
    "number": "numbers",
    "real": "numbers",
    "time": "times",
    "words": "what was said",
    "flag": "flags",
}


def _read_text(source: Source, key: Key, value: Value) -> str:
    if not isinstance(value.value, str):
        raise source.fault(value.at, f"{key.name} is a text; put the value in single quotes")
    return value.value


def _read_number(source: Source, key: Key, value: Value) -> Decimal:
    if isinstance(value.value, str) and key.section in PARAMS_WORDS and _QUOTED_NUMBER.fullmatch(value.value):
        # MLflow's params are strings, so '3' in quotes is how its users write it.
        return Decimal(value.value)
    if not isinstance(value.value, Decimal):
        raise source.fault(value.at, f"{key.name} is a number; write the value as a number, without quotes")
    return value.value


def _read_flag(source: Source, key: Key, value: Value) -> bool:
    # MLflow's params are strings, so 'True' in quotes is how its users write it.
    match value.value:
        case bool(flag):
            return flag
        case str(text) if text.lower() in ("true", "false"):
            return text.lower() == "true"
        case _:
            raise source.fault(value.at, f"{key.name} is true or false; found {str(value.value)!r}")


def _read_time(source: Source, key: Key, value: Value) -> Decimal:
    """Milliseconds since the epoch."""
    match value.value:
        case Decimal() as number:
            return number
        case str(text) if (moment := _moment(text)) is not None:
            return Decimal((moment - EPOCH) // timedelta(microseconds=1)) / 1000
        case _:
            wanted = "milliseconds since 1970 as a number, or ISO 8601 like '2026-01-31' or '2026-01-31T12:00:00Z'"
            raise source.fault(value.at, f"{str(value.value)[:40]!r} is no time for {key.name}; write {wanted}")


def phrases(source: Source, key: Key, value: Value) -> list[str]:
    """Words, and phrases of several that stood in double quotes."""
    pieces = re.findall(r'"([^"]*)"?|([^"\s]+)', _read_text(source, key, value))
    found = [" ".join(words(piece)) for quoted, plain in pieces for piece in ([quoted] if quoted else [plain])]
    phrases = [phrase for phrase in found if phrase]
    if not phrases:
        raise source.fault(value.at, "there is no word in it to look for")
    return phrases


def matching(phrases: Sequence[str]) -> Condition:
    """Of SQLite's index over words: what has all of these."""
    asked = " AND ".join(f'"{phrase}"' for phrase in phrases)
    return texts_words.c.texts_words.op("MATCH", is_comparison=True)(sa.literal(asked, sa.String))


WORDS_FROM, WORDS_UNTIL = "words_from", "words_until"
"""Parameters that narrow words on SQLite to a window of `texts.number`; see `tracking.windows`."""


def as_words(comparison: Comparison) -> Comparison:
    """A pattern for what was said, which MLflow's clients ask for, as its words; each is found where it is whole."""
    if comparison.operator not in ("LIKE", "ILIKE"):
        return comparison
    (value,) = comparison.values
    pieces = (" ".join(words(piece)) for piece in re.split("[%_]", str(value.value)))
    whole = " ".join(f'"{piece}"' for piece in pieces if piece)
    return replace(comparison, operator="=", values=(Value(whole, value.at),))


def _with_words_of_sqlite(phrases: Sequence[str]) -> sa.Select[tuple[str]]:
    number = texts_words.c.rowid
    within = (number >= sa.bindparam(WORDS_FROM, 0), number < sa.bindparam(WORDS_UNTIL, LAST_NUMBER))
    numbers = sa.select(number).where(matching(phrases), *within)
    return sa.select(texts.c.id).where(texts.c.number.in_(numbers))


def _with_words_of_postgresql(phrases: Sequence[str]) -> sa.Select[tuple[str]]:
    asked = [sa.func.phraseto_tsquery(sa.literal_column("'simple'"), phrase) for phrase in phrases]
    vector = sa.func.to_tsvector(sa.literal_column("'simple'"), texts.c.words)
    return sa.select(texts.c.id).where(*(vector.op("@@")(query) for query in asked))


_WITH_WORDS = {"sqlite": _with_words_of_sqlite, "postgresql": _with_words_of_postgresql}


_READ: Mapping[Type, Callable[[Source, Key, Value], Any]] = {
    "text": _read_text,
    "number": _read_number,
    "real": _read_number,
    "flag": _read_flag,
    "time": _read_time,
    "words": phrases,
}
PARAMS_WORDS = frozenset(word for word, section in SECTIONS.items() if section == "params")
_QUOTED_NUMBER = re.compile(r"[0-9]{1,18}")
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def _moment(text: str) -> datetime | None:
    """A time without an offset is UTC."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _compare_text(field: Field, operator: Operator, values: Sequence[str]) -> Condition:
    if operator == "IN":
        return field.column.in_(values)
    return field.column == values[0] if operator == "=" else field.column != values[0]


def _compare_flag(field: Field, operator: Operator, values: Sequence[bool]) -> Condition:
    # `column == True` would become IS, which is never unknown.
    value = sa.literal(values[0], sa.Boolean)
    return field.column == value if operator == "=" else field.column != value


def _compare_number(field: Field, operator: Operator, values: Sequence[Decimal]) -> Condition:
    return _compare_whole(field.column, operator, [_EXACT.multiply(value, Decimal(field.scale)) for value in values])


def _compare_real(field: Field, operator: Operator, values: Sequence[Decimal]) -> Condition:
    """Of floats, with the floats that are nearest to the decimals, as Python would have them."""
    column, floats = field.column, [float(value) for value in values]
    if operator == "IN":
        return column.in_(floats)
    value = sa.literal(floats[0], sa.Double)
    match operator:
        case "<":
            return column < value
        case "<=":
            return column <= value
        case ">":
            return column > value
        case ">=":
            return column >= value
    return column == value if operator == "=" else column != value


def _compare_time(field: Field, operator: Operator, values: Sequence[Decimal]) -> Condition:
    """Of the whole milliseconds in a column of microseconds, put so that an index on the column still serves."""
    column, value = field.column, values[0]
    after = _EXACT.multiply(_floor(value) + 1, _MILLISECOND)
    this = _EXACT.multiply(_ceiling(value), _MILLISECOND)
    match operator:
        case "<":
            return _compare_whole(column, "<", [this])
        case ">=":
            return _compare_whole(column, ">=", [this])
        case "<=":
            return _compare_whole(column, "<", [after])
        case ">":
            return _compare_whole(column, ">=", [after])
    # `this` and `after` enclose one millisecond, or nothing at all where the value is between two of them.
    same = sa.and_(_compare_whole(column, ">=", [this]), _compare_whole(column, "<", [after]))
    return same if operator == "=" else sa.not_(same)


_COMPARE: Mapping[Type, Callable[[Field, Operator, Sequence[Any]], Condition]] = {
    "text": _compare_text,
    "number": _compare_number,
    "real": _compare_real,
    "flag": _compare_flag,
    "time": _compare_time,
}

_EXACT = Context(prec=2_200, Emax=10_000, Emin=-10_000)
"""Wide enough for every number that the grammar takes: 60 digits, and an exponent of three."""
_MILLISECOND = Decimal(1_000)
_LARGEST = 2**63 - 1


def _compare_whole(column: ColumnElement[Any], operator: Operator, values: Sequence[Decimal]) -> Condition:
    """An integer column with exact decimals, of which only the integers that it can hold are ever sent."""
    # Not true and false: of a run without this number, the answer is unknown.
    always, never = column == column, column != column
    if operator in ("=", "!=", "IN"):
        whole = [int(value) for value in values if abs(value) <= _LARGEST and value == _floor(value)]
        if not whole:
            return always if operator == "!=" else never
        if operator == "IN":
            return column.in_(whole)
        return column == _bound(whole[0]) if operator == "=" else column != _bound(whole[0])
    value = values[0]
    if abs(value) > _LARGEST:
        return always if (value > 0) == (operator in ("<", "<=")) else never
    match operator:
        case "<":
            return column < _bound(int(_ceiling(value)))
        case "<=":
            return column <= _bound(int(_floor(value)))
        case ">":
            return column > _bound(int(_floor(value)))
        case _:
            return column >= _bound(int(_ceiling(value)))


def _bound(number: int) -> ColumnElement[int]:
    return sa.literal(number, sa.BigInteger)


def _floor(value: Decimal) -> Decimal:
    return value.to_integral_value(ROUND_FLOOR, _EXACT)


def _ceiling(value: Decimal) -> Decimal:
    return value.to_integral_value(ROUND_CEILING, _EXACT)


Pattern = list[tuple[str, bool]]
"""Characters in order, and whether each is a wildcard."""


def _pattern(text: str) -> Pattern:
    r"""`%` is any characters and `_` any one; a backslash makes `%`, `_` or `\` plain, and is plain before all else."""
    pieces: Pattern = []
    for piece in re.findall(r"\\[%_\\]|.", text, re.DOTALL):
        if len(piece) == 2:
            pieces.append((piece[1], False))
        elif piece not in ("%", "_"):
            pieces.append((piece, False))
        elif pieces[-1:] != [("%", True)] or piece == "_":
            pieces.append((piece, True))
    return pieces


def _glob(column: ColumnElement[Any], pattern: Pattern) -> Condition:
    # SQLite's LIKE minds no case unless the whole connection is told to; its GLOB always does.
    wild = {"%": "*", "_": "?"}
    text = "".join(wild[char] if is_wild else f"[{char}]" if char in "*?[" else char for char, is_wild in pattern)
    return column.op("GLOB", is_comparison=True, return_type=sa.Boolean())(sa.literal(text, sa.String))


def _escaped(pattern: Pattern) -> str:
    return "".join(f"~{char}" if char in "%_~" and not is_wild else char for char, is_wild in pattern)


def _like(column: ColumnElement[Any], pattern: Pattern) -> Condition:
    return column.like(_escaped(pattern), escape="~")


def _ilike(column: ColumnElement[Any], pattern: Pattern) -> Condition:
    # "C" folds A to Z alone, which is what SQLite does; other collations fold what their system's library knows.
    return sa.collate(column, "C").ilike(_escaped(pattern), escape="~")


_LIKE: Mapping[tuple[str, str], Callable[[ColumnElement[Any], Pattern], Condition]] = {
    ("sqlite", "LIKE"): _glob,
    ("sqlite", "ILIKE"): _like,
    ("postgresql", "LIKE"): _like,
    ("postgresql", "ILIKE"): _ilike,
}
