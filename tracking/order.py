"""The order of runs, and pages of it: where a page ends is a token, and the next page begins after that very run.

A page is found by what its runs are, not by how many came before: runs that are recorded or deleted meanwhile neither
repeat one nor hide one. Runs without a value come last in either direction, and the id decides between equals.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import orjson
import sqlalchemy as sa
from sqlalchemy.sql.elements import ColumnElement

from providers.errors import InvalidRequest
from tracking.fields import Field, Fields
from tracking.grammar import Source, Token, key_of, scan

MOST_TERMS = 8
DEFAULT = ("attributes.start_time DESC",)
_INT64 = range(-(2**63), 2**63)
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")

Values = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Term:
    column: ColumnElement[Any]
    field: Field
    descending: bool

    def clause(self) -> ColumnElement[Any]:
        clause = self.column.desc() if self.descending else self.column.asc()
        # Saying it of a column that always has a value would keep the database from using an index.
        return clause if self.field.required else clause.nulls_last()

    def same(self, value: Any) -> ColumnElement[bool]:
        return self.column.is_(None) if value is None else self.column == self._bound(value)

    def after(self, value: Any) -> ColumnElement[bool]:
        if value is None:
            return sa.false()
        bound = self._bound(value)
        beyond = self.column < bound if self.descending else self.column > bound
        return beyond if self.field.required else sa.or_(beyond, self.column.is_(None))

    def bound(self, value: Any) -> ColumnElement[Any]:
        return self._bound(value)

    def accepts(self, value: Any) -> bool:
        """Whether this can be the value of a run, as a token that we made would have it."""
        if value is None:
            return not self.field.required
        match self.field.type:
            case "text":
                return isinstance(value, str) and not _UNSTORABLE.search(value)
            case "flag":
                return isinstance(value, bool)
            case "words":
                return False
            case "real":
                return type(value) in (int, float)
            case "number" | "time":
                return type(value) is int and value in _INT64

    def _bound(self, value: Any) -> ColumnElement[Any]:
        if self.field.type == "real":
            return sa.literal(float(value), sa.Double)
        return sa.literal(value, {str: sa.String, bool: sa.Boolean, int: sa.BigInteger}[type(value)])


@dataclass(frozen=True, slots=True)
class Order:
    """Terms, the last of which is the id; so no two runs are equal."""

    terms: tuple[Term, ...]

    def clauses(self) -> list[ColumnElement[Any]]:
        return [term.clause() for term in self.terms]

    def columns(self) -> list[ColumnElement[Any]]:
        """What to select beside a run, to know its place."""
        return [term.column.label(f"order_{n}") for n, term in enumerate(self.terms)]

    def after(self, values: Values) -> ColumnElement[bool]:
        """What comes after the run with these values."""
        terms = self.terms
        if all(term.field.required and term.descending == terms[0].descending for term in terms):
            # One comparison of rows, which an index answers at once.
            ours = sa.tuple_(*(term.column for term in terms))
            theirs = sa.tuple_(*(term.bound(value) for term, value in zip(terms, values, strict=True)))
            return ours < theirs if terms[0].descending else ours > theirs
        alternatives = []
        for n, term in enumerate(terms):
            equal = [before.same(value) for before, value in zip(terms[:n], values, strict=False)]
            alternatives.append(sa.and_(*equal, term.after(values[n])))
        return sa.or_(*alternatives)


def order(texts: Sequence[str], fields: Fields, dialect: str, tie: str = "run_id") -> Order:
    """Of `metrics.cost_usd DESC`, `attributes.start_time`; several may stand in one text, with commas between."""
    terms = [term for text in (texts or DEFAULT) for term in _terms(text, fields, dialect)]
    if len(terms) > MOST_TERMS:
        raise InvalidRequest(f"order_by has {len(terms)} terms, and at most {MOST_TERMS}", code=CODE, param="order_by")
    id = fields.sections["attributes"][tie]
    descending = terms[-1].descending if terms else True
    return Order((*terms, Term(id.column, id, descending)))


CODE = "invalid_order_by"


def _terms(text: str, fields: Fields, dialect: str) -> list[Term]:
    source = Source(text, "order_by", CODE)
    tokens = scan(source)
    terms: list[Term] = []
    while tokens[0].kind != "end":
        key, *tokens = tokens
        if key.kind != "key":
            raise _expected(source, key, "a key like metrics.cost_usd or attributes.start_time")
        field = fields.find(key_of(source, key), source, dialect)
        if field.type == "words":
            raise source.fault(key.at, "runs have no order by what was said in them")
        descending = tokens[0].says("DESC")
        if descending or tokens[0].says("ASC"):
            tokens = tokens[1:]
        if tokens[0].text == ",":
            tokens = tokens[1:]
            if tokens[0].kind == "end":
                raise _expected(source, tokens[0], "another key")
        elif tokens[0].kind != "end":
            raise _expected(source, tokens[0], "ASC, DESC, ',' or the end")
        terms.append(Term(_sortable(field, dialect), field, descending))
    return terms


def _expected(source: Source, token: Token, wanted: str) -> InvalidRequest:
    return source.fault(token.at, f"found {token}, where {wanted} should be")


def _sortable(field: Field, dialect: str) -> ColumnElement[Any]:
    # PostgreSQL would sort by its database's language; SQLite sorts by code point, and so shall both.
    if field.type == "text" and dialect == "postgresql":
        return sa.collate(field.column, "C")
    return field.column


def fingerprint(*query: object) -> str:
    """What two requests must share for the page token of one to be of use to the other."""
    return hashlib.sha256(orjson.dumps(query)).hexdigest()[:16]


def token(query: str, values: Values) -> str:
    return base64.urlsafe_b64encode(orjson.dumps([query, *values])).rstrip(b"=").decode()


def values(token: str, query: str, order: Order) -> Values:
    """Where the page before ended; a 400 for a token that is not one, or that another query was given."""
    try:
        found, *rest = orjson.loads(base64.urlsafe_b64decode(token.encode("ascii") + b"=" * (-len(token) % 4)))
    except (UnicodeEncodeError, binascii.Error, ValueError, TypeError) as exc:
        raise _useless(f"{token[:40]!r} is no page token; send next_page_token of the page before as it came") from exc
    if found != query:
        raise _useless("this page token belongs to another query; filter and order_by must be those of the page before")
    if len(rest) != len(order.terms) or not all(map(Term.accepts, order.terms, rest)):
        raise _useless("this page token has been changed; send next_page_token of the page before as it came")
    return tuple(rest)


def _useless(message: str) -> InvalidRequest:
    return InvalidRequest(message, code="invalid_page_token", param="page_token")
