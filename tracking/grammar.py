"""The grammar of filters: a text to a tree, and every fault to a 400 that points at its column.

    filter      = all { OR all }
    all         = one { AND one }
    one         = NOT one | "(" filter ")" | comparison
    comparison  = key ( ( = | != | < | <= | > | >= ) value
                      | [ NOT ] ( LIKE | ILIKE ) string
                      | [ NOT ] IN "(" value { "," value } ")"
                      | IS [ NOT ] NULL )
    key         = part { "." part }       a part is a bare word, or anything in "double quotes" or `backticks`
    value       = number | string | TRUE | FALSE

It is MLflow's, with OR, NOT and parentheses. It knows no keys: what a key means is `search`'s to say.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal, NamedTuple

from providers.errors import InvalidRequest

LONGEST = 65_536
"""Characters of a filter."""
MOST_COMPARISONS = 200
"""SQLite gives up at an expression 1,000 deep, and a chain of ANDs is as deep as it is long."""
MOST_VALUES = 5_000
"""Of all lists in a filter together; a statement of PostgreSQL takes 32,767."""
DEEPEST = 50

Operator = Literal["=", "!=", "<", "<=", ">", ">=", "LIKE", "ILIKE", "IN", "IS NULL"]


@dataclass(frozen=True, slots=True)
class Key:
    """`metrics.cost_usd`: a section and a name. A bare `status` has no section."""

    section: str | None
    name: str
    at: int
    """Index of its first character in the text."""


@dataclass(frozen=True, slots=True)
class Value:
    value: str | Decimal | bool
    at: int


@dataclass(frozen=True, slots=True)
class Comparison:
    """`values` is empty for IS NULL, and has one element for all but IN."""

    key: Key
    operator: Operator
    at: int
    """Of the operator."""
    values: tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class Not:
    term: Tree


@dataclass(frozen=True, slots=True)
class And:
    terms: tuple[Tree, ...]


@dataclass(frozen=True, slots=True)
class Or:
    terms: tuple[Tree, ...]


Tree = Comparison | Not | And | Or


class Source(NamedTuple):
    """A text that a caller sent, the parameter that it came in, and the code of its faults."""

    text: str
    param: str = "filter"
    code: str = "invalid_filter"

    def fault(self, at: int, problem: str) -> InvalidRequest:
        """An error whose message shows the place."""
        message = f"{self.param}, column {at + 1}: {problem}\n{_caret(self.text, at)}"
        return InvalidRequest(message, code=self.code, param=self.param)


def parse(source: Source) -> Tree | None:
    """The tree of a filter; None for one that is empty or blank, which everything passes."""
    tokens = scan(source)
    if tokens[0].kind == "end":
        return None
    parser = _Parser(source, tokens)
    tree = parser.any()
    parser.end()
    return tree


class Token(NamedTuple):
    kind: str
    """`key`, `number`, `string`, `operator`, `mark` or `end`."""
    text: str
    at: int

    def says(self, word: str) -> bool:
        """Whether it is this keyword, however written."""
        return self.kind == "key" and self.text.upper() == word

    def __str__(self) -> str:
        return "the end" if self.kind == "end" else _shortened(self.text)


_QUOTED = r'"(?:[^"]|"")*"|`(?:[^`]|``)*`'
_PART = rf"(?:[\w-]+|{_QUOTED})"
_TOKEN = re.compile(
    rf"""(?P<space>\s+)
       | (?P<number>[+-]?(?:\d{{1,30}}(?:\.\d{{0,30}})?|\.\d{{1,30}})(?:[eE][+-]?\d{{1,3}})?)(?![\w.])
       | (?P<key>(?:[^\W\d][\w-]*|{_QUOTED})(?:\.{_PART})*)
       | (?P<string>'(?:[^']|'')*')
       | (?P<operator><>|==|<=|>=|!=|[=<>])
       | (?P<mark>[(),])""",
    re.VERBOSE,
)
_ONE_PART = re.compile(_PART)
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
_UNREADABLE = re.compile(r"[^\s'\"`(),=<>!]{1,60}|.", re.DOTALL)
_UNCLOSED = {"'": "a string", '"': "a quoted name", "`": "a quoted name"}
_MEANT = {"==": "=", "<>": "!=", "!": "NOT", "&&": "AND", "||": "OR", "&": "AND", "|": "OR"}


def scan(source: Source) -> list[Token]:
    """The words of a text, the last one being its end."""
    text = source.text
    if len(text) > LONGEST:
        raise source.fault(LONGEST, f"it has {len(text)} characters, and at most {LONGEST} are read")
    if bad := _UNSTORABLE.search(text):
        raise source.fault(bad.start(), f"found {bad[0]!r}, which no stored text can hold")
    tokens, at = [], 0
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None or match[0] in _MEANT:
            raise _unreadable(source, at)
        kind = match.lastgroup or ""
        if kind != "space":
            tokens.append(Token(kind, match[0], at))
        at = match.end()
    tokens.append(Token("end", "", at))
    return tokens


def key_of(source: Source, token: Token) -> Key:
    """A section and a name out of a dotted word, quotes taken off."""
    parts = [_unquoted(part) for part in _ONE_PART.findall(token.text)]
    if not all(parts):
        raise source.fault(token.at, f"{token} has an empty name in quotes; name the key")
    section, rest = (parts[0], parts[1:]) if len(parts) > 1 else (None, parts)
    return Key(section, ".".join(rest), token.at)


def _unreadable(source: Source, at: int) -> InvalidRequest:
    text = source.text
    if text[at] == "." and not text[at + 1 : at + 2].isdigit():
        if text[at + 1 : at + 2] not in _UNCLOSED:
            return source.fault(at, "found '.', which stands only between the names of a key, without spaces")
        at += 1
    if text[at] in _UNCLOSED:
        return source.fault(at, f"{_UNCLOSED[text[at]]} begins here and does not end; close it with {text[at]}")
    for word in (text[at : at + 2], text[at]):
        if word in _MEANT:
            return source.fault(at, f"found {word!r}; write {_MEANT[word]}")
    match = _UNREADABLE.match(text, at)
    found = _shortened(match[0] if match else "")
    if text[at] in "+-.0123456789":
        return source.fault(
            at, f"{found} is not a number; write it like 12, -0.5 or 1e6, with at most 30 digits on a side"
        )
    return source.fault(at, f"found {found}, which means nothing here")


class _Parser:
    """One method a rule of the grammar."""

    def __init__(self, source: Source, tokens: list[Token]) -> None:
        self._source = source
        self._tokens = tokens
        self._next = 0
        self._depth = 0
        self._comparisons = 0
        self._values = 0

    def any(self) -> Tree:
        terms = self._chain("OR", self._all)
        return terms[0] if len(terms) == 1 else Or(terms)

    def end(self) -> None:
        if (token := self._peek()).kind != "end":
            raise self._expected(token, "AND, OR or the end")

    def _all(self) -> Tree:
        terms = self._chain("AND", self._one)
        return terms[0] if len(terms) == 1 else And(terms)

    def _chain(self, word: str, rule: Callable[[], Tree]) -> tuple[Tree, ...]:
        terms = [rule()]
        while self._took(word):
            terms.append(rule())
        return tuple(terms)

    def _one(self) -> Tree:
        token = self._peek()
        if not (token.says("NOT") or token.text == "("):
            return self._comparison()
        self._depth += 1
        if self._depth > DEEPEST:
            raise self._source.fault(token.at, f"NOT and parentheses are nested more than {DEEPEST} deep")
        self._take()
        if token.text == "(":
            tree = self.any()
            self._mark(")", "AND, OR or ')'")
        else:
            tree = Not(self._one())
        self._depth -= 1
        return tree

    def _comparison(self) -> Tree:
        token = self._take()
        if token.kind != "key" or token.text.upper() in _KEYWORDS:
            raise self._expected(token, "a key like metrics.cost_usd, params.model, tags.team or status")
        self._comparisons += 1
        if self._comparisons > MOST_COMPARISONS:
            raise self._source.fault(token.at, f"there are more than {MOST_COMPARISONS} comparisons; IN takes a list")
        key = key_of(self._source, token)
        operator = self._take()
        if operator.kind == "operator":
            return Comparison(key, _COMPARING[operator.text], operator.at, (self._value(),))
        if operator.says("IS"):
            negated = self._took("NOT")
            if not (null := self._take()).says("NULL"):
                raise self._expected(null, "NULL" if negated else "NULL or NOT NULL")
            return _negated(negated, Comparison(key, "IS NULL", operator.at, ()))
        negated = operator.says("NOT")
        if negated:
            operator = self._take()
        return _negated(negated, self._matching(key, operator, negated))

    def _matching(self, key: Key, operator: Token, negated: bool) -> Comparison:
        if operator.says("IN"):
            return Comparison(key, "IN", operator.at, self._list())
        for word in _PATTERNS:
            if operator.says(word):
                value = self._value()
                if not isinstance(value.value, str):
                    raise self._source.fault(value.at, f"{word} takes a string in single quotes")
                return Comparison(key, word, operator.at, (value,))
        words = (
            "LIKE, ILIKE or IN" if negated else "=, !=, <, <=, >, >=, LIKE, ILIKE, IN, NOT IN, IS NULL or IS NOT NULL"
        )
        raise self._expected(operator, words)

    def _list(self) -> tuple[Value, ...]:
        self._mark("(", "'(' and a list of values")
        values = [self._value()]
        while self._peek().text == ",":
            self._take()
            values.append(self._value())
        self._mark(")", "',' or ')'")
        return tuple(values)

    def _value(self) -> Value:
        token = self._take()
        self._values += 1
        if self._values > MOST_VALUES:
            raise self._source.fault(token.at, f"there are more than {MOST_VALUES} values")
        match token.kind:
            case "number":
                return Value(Decimal(token.text), token.at)
            case "string":
                return Value(_unquoted(token.text), token.at)
            # MLflow takes double quotes around values too, and its documentation is full of them.
            case "key" if token.text[0] == '"' and _ONE_PART.fullmatch(token.text):
                return Value(_unquoted(token.text), token.at)
            case "key" if token.text.upper() in _FLAGS:
                return Value(_FLAGS[token.text.upper()], token.at)
            case "key":
                raise self._expected(token, "a number, or a string in single quotes,")
            case _:
                raise self._expected(token, "a number, or a string in single quotes")

    def _peek(self) -> Token:
        return self._tokens[self._next]

    def _take(self) -> Token:
        token = self._tokens[self._next]
        # The end is never passed, so that a fault there still has a place to point at.
        self._next = min(self._next + 1, len(self._tokens) - 1)
        return token

    def _took(self, word: str) -> bool:
        if self._peek().says(word):
            self._take()
            return True
        return False

    def _mark(self, mark: str, wanted: str) -> None:
        if (token := self._take()).text != mark:
            raise self._expected(token, wanted)

    def _expected(self, token: Token, wanted: str) -> InvalidRequest:
        return self._source.fault(token.at, f"found {token}, where {wanted} should be")


_KEYWORDS = frozenset({"AND", "OR", "NOT", "LIKE", "ILIKE", "IN", "IS", "NULL", "TRUE", "FALSE"})
_FLAGS = {"TRUE": True, "FALSE": False}
_PATTERNS: tuple[Literal["LIKE"], Literal["ILIKE"]] = ("LIKE", "ILIKE")
_COMPARING: dict[str, Operator] = {"=": "=", "!=": "!=", "<": "<", "<=": "<=", ">": ">", ">=": ">="}


def _negated(negated: bool, comparison: Comparison) -> Tree:
    return Not(comparison) if negated else comparison


def _unquoted(text: str) -> str:
    quote = text[:1]
    return text[1:-1].replace(quote * 2, quote) if quote in ("'", '"', "`") else text


def _shortened(text: str) -> str:
    return repr(text if len(text) <= 40 else f"{text[:37]}...")


def _caret(text: str, at: int) -> str:
    """The line of the fault, cut to what fits on a screen, and a caret under the place."""
    start = max(0, at - 60)
    window = "".join(char if char.isprintable() else " " for char in text[start : at + 40])
    return f"  {window}\n  {' ' * (at - start)}^"
