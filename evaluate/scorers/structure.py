"""Scorers of structured answers: JSON, JSON Schema, fields, numbers, SQL."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal, Self

import orjson
from pydantic import Field, model_validator

from evaluate.cells import Value
from evaluate.scorers.answer import (
    EXPECTED,
    AgainstOptions,
    parsed,
    references,
    text_of,
    unfenced,
)
from evaluate.scorers.options import Entries, Entry, Means, Options, Unfit
from evaluate.scorers.scorer import Sample, Scorer, Unscored, by_code, expected
from evaluate.scorers.text import AGAINST, OUTPUT, identity
from providers.chat import Json


class JsonOptions(Options):
    fenced: bool = Field(default=False, description="also take an answer that is one fenced block, for what is in it")


class SchemaOptions(JsonOptions):
    given: Json | str = Field(alias="schema", description="the schema itself, or the path of a JSON file that holds it")


class FieldsOptions(JsonOptions):
    against: str = Field(default=EXPECTED, description="the name of the row's expectation, an object (or JSON of one)")
    fields: tuple[str, ...] | None = Field(default=None, description="only these fields of the object; all otherwise")
    ordered: bool = Field(default=False, description="a list's items count in their places, not wherever they stand")
    ignore_case: bool = Field(default=False, description="take A and a for the same in values that are text")


class NumericOptions(AgainstOptions):
    find: Literal["only", "first", "last"] = Field(
        default="only", description="which number of the answer: the one that it holds, the first, or the last"
    )
    absolute: float = Field(default=0.0, ge=0, description="how far from the expected number is still right")
    relative: float = Field(default=0.0, ge=0, description="the same as a share of the expected number: 0.01 is 1 %")
    measure: Literal["right", "error"] = Field(
        default="right", description="whether it is within tolerance, or how far it is from the expected number"
    )

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.measure == "error" and (self.absolute or self.relative):
            raise ValueError("a tolerance is for `measure: right`; an error has none")
        return self


class SqlOptions(AgainstOptions):
    dialect: str | None = Field(default=None, description="sqlglot's name of the dialect, such as postgres or bigquery")
    tables: Mapping[str, Mapping[str, str]] | None = Field(
        default=None, description="columns and their types by table, so that `*` and bare names can be told apart"
    )


def json_valid(options: JsonOptions, means: Means) -> Scorer:
    def judgement(sample: Sample) -> Value | tuple[Value, str]:
        try:
            parsed(sample.text, fenced=options.fenced)
        except Unscored as why:
            return False, str(why)
        return True

    score = by_code(options.called, OUTPUT, judgement)
    return Scorer(name=options.called, kind="binary", score=score, identity=identity(options))


FAULTS_MOST = 5
"""Of an answer against its schema, that a rationale names."""


def json_schema(options: SchemaOptions, means: Means) -> Scorer:
    import jsonschema
    from jsonschema_specifications import REGISTRY

    schema = options.given if isinstance(options.given, dict) else _file(means.file("json_schema", options.given))
    kind = jsonschema.validators.validator_for(schema, default=jsonschema.Draft202012Validator)
    try:
        kind.check_schema(schema)
    except jsonschema.SchemaError as exc:
        raise Unfit(f"json_schema: the schema is not one: {exc.message} at {exc.json_path}") from exc
    # A registry of its own: without one, a reference to a URL would be fetched.
    validator = kind(schema, registry=REGISTRY, format_checker=kind.FORMAT_CHECKER)

    def judgement(sample: Sample) -> Value | tuple[Value, str]:
        try:
            answer = parsed(sample.text, fenced=options.fenced)
        except Unscored as why:
            return False, str(why)
        try:
            faults = [f"{fault.json_path}: {fault.message:.200}" for fault in validator.iter_errors(answer)]
        except jsonschema.exceptions._WrappedReferencingError as exc:
            raise Unscored(f"the schema refers to what is not in it: {exc}") from exc
        return (False, "; ".join(faults[:FAULTS_MOST])) if faults else True

    score = by_code(options.called, OUTPUT, judgement)
    about = {**identity(options), "schema": schema}
    return Scorer(name=options.called, kind="binary", score=score, identity=about)


def _file(path: Path) -> Json:
    try:
        schema = orjson.loads(path.read_bytes())
    except OSError as exc:
        raise Unfit(f"json_schema: the file {str(path)!r} cannot be read: {exc.strerror}") from exc
    except orjson.JSONDecodeError as exc:
        raise Unfit(f"json_schema: the file {str(path)!r} is not JSON: {exc.msg}") from exc
    if not isinstance(schema, dict):
        raise Unfit(f"json_schema: the file {str(path)!r} must hold an object, not {schema!r:.100}")
    return schema


def field_f1(options: FieldsOptions, means: Means) -> Scorer:
    def judgement(sample: Sample) -> Value | tuple[Value, str]:
        wanted = expected(sample, options.against)
        if isinstance(wanted, str):
            try:
                wanted = orjson.loads(wanted)
            except orjson.JSONDecodeError as exc:
                raise Unscored(f"the row's {options.against!r} is text that is not JSON: {exc.msg}") from exc
        if not isinstance(wanted, dict | list):
            raise Unscored(f"the row's {options.against!r} must be an object or a list, not {wanted!r:.100}")
        try:
            said = parsed(sample.text, fenced=options.fenced)
        except Unscored as why:
            return 0.0, str(why)
        return f1(_leaves(said, options), _leaves(wanted, options))

    return Scorer(
        name=options.called,
        kind="numeric",
        needs=AGAINST,
        score=by_code(options.called, AGAINST, judgement),
        identity=identity(options),
    )


def f1(said: Counter[str], wanted: Counter[str]) -> tuple[float, str]:
    """The harmonic mean of the share of what was said that was wanted, and of what was wanted that was said."""
    right = (said & wanted).total()
    total = said.total() + wanted.total()
    value = 2 * right / total if total else 1.0
    wrong = [f"missing {leaf}" for leaf in wanted - said] + [f"not expected: {leaf}" for leaf in said - wanted]
    return value, "; ".join([f"{right} of {wanted.total()} fields, {said.total()} given", *wrong[:10]])[:2000]


def _leaves(value: Any, options: FieldsOptions) -> Counter[str]:
    if options.fields is not None and isinstance(value, dict):
        value = {name: each for name, each in value.items() if name in options.fields}
    return leaves(value, ordered=options.ordered, ignore_case=options.ignore_case)


def leaves(value: Any, *, ordered: bool, ignore_case: bool) -> Counter[str]:
    """Each value at the end of a path, as `path = value`. 1 and 1.0 are the same; an empty object is like none."""
    return Counter(f"{path or '/'} = {leaf}" for path, leaf in _paths(value, "", ordered, ignore_case))


def _paths(value: Any, path: str, ordered: bool, ignore_case: bool) -> Iterator[tuple[str, str]]:
    match value:
        case dict():
            for name, each in value.items():
                yield from _paths(each, f"{path}/{name}", ordered, ignore_case)
        case list():
            for at, each in enumerate(value):
                yield from _paths(each, f"{path}/{at if ordered else '*'}", ordered, ignore_case)
        case str():
            yield path, repr(value.casefold() if ignore_case else value)
        case float() if value.is_integer():
            yield path, str(int(value))
        case _:
            yield path, str(value)


NUMBER = re.compile(
    r"(?<![\w.,])(?:(?<![\w)])[-+\u2212])?(?:(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?|\.\d+)(?:[eE][-+]?\d+)?(?![\w,]*\d)"
)
"""A number as people write it in English: 1,234.5 or -.5 or 2e-3."""


def numeric(options: NumericOptions, means: Means) -> Scorer:
    def judgement(sample: Sample) -> Value | tuple[Value, str]:
        wanted = []
        for reference in references(sample, options.against):
            found = numbers(reference)
            if len(found) != 1:
                raise Unscored(f"the row's {options.against!r} must be a number, not {reference!r:.100}")
            wanted.append(found[0])
        said = numbers(text_of(sample, options))
        if not said or (options.find == "only" and len(said) > 1):
            why = f"the answer holds {len(said) or 'no'} number{'s' * (len(said) > 1)}"
            if options.measure == "error":
                raise Unscored(why)
            return False, why
        number = said[-1] if options.find == "last" else said[0]
        apart = min(abs(number - each) for each in wanted)
        if options.measure == "error":
            return float(apart)
        near = any(abs(number - each) <= _tolerance(options, each) for each in wanted)
        return near, f"{number} is {apart} from {wanted[0] if len(wanted) == 1 else 'the nearest expected'}"

    return Scorer(
        name=options.called,
        kind="binary" if options.measure == "right" else "numeric",
        direction="higher" if options.measure == "right" else "lower",
        needs=AGAINST,
        score=by_code(options.called, AGAINST, judgement),
        identity=identity(options),
    )


def _tolerance(options: NumericOptions, wanted: Decimal) -> Decimal:
    return max(Decimal(str(options.absolute)), Decimal(str(options.relative)) * abs(wanted))


EXPONENT_MOST = 300
"""Beyond, a number is a text of digits: no arithmetic on it ends soon."""


def numbers(text: str) -> list[Decimal]:
    """All numbers of a text, exactly as they are written."""
    found = []
    for match in NUMBER.finditer(text):
        written = match.group().replace(",", "").replace("\u2212", "-")
        exponent = written.lower().partition("e")[2]
        if not exponent or abs(int(exponent)) <= EXPONENT_MOST:
            found.append(Decimal(written))
    return found


def sql(options: SqlOptions, means: Means) -> Scorer:
    import sqlglot

    if options.dialect is not None and options.dialect not in sqlglot.Dialect.classes:
        known = ", ".join(sorted(name for name in sqlglot.Dialect.classes if name))
        raise Unfit(f"sql: there is no dialect {options.dialect!r}; there are {known}")

    def judgement(sample: Sample) -> Value | tuple[Value, str]:
        wanted = [_statements(each, options) for each in references(sample, options.against)]
        if faults := [fault for _, fault in wanted if fault is not None]:
            raise Unscored(f"the row's {options.against!r} cannot be read as SQL: {faults[0]}")
        said, fault = _statements(unfenced(text_of(sample, options)), options)
        if fault is not None:
            return False, f"the answer cannot be read as SQL: {fault}"
        same = any(said == each for each, _ in wanted)
        return same or (False, f"in its plainest form it is: {'; '.join(said)}"[:2000])

    return Scorer(
        name=options.called,
        kind="binary",
        needs=AGAINST,
        score=by_code(options.called, AGAINST, judgement),
        identity=identity(options),
    )


def _statements(text: str, options: SqlOptions) -> tuple[list[str], str | None]:
    """Each statement in its plainest form, and what is wrong where there is none."""
    import sqlglot
    from sqlglot.errors import SqlglotError
    from sqlglot.optimizer import optimize

    schema: dict[str, object] = {table: dict(columns) for table, columns in (options.tables or {}).items()}
    try:
        parsed = [each for each in sqlglot.parse(text, read=options.dialect) if each is not None]
        if not schema:
            parsed = [_qualified(each) for each in parsed]
        plain = [
            # Without the tables' columns, a bare name in a join cannot be told to be of one of them, and stays bare.
            optimize(each, schema=schema or None, dialect=options.dialect, validate_qualify_columns=bool(schema)).sql(
                options.dialect
            )
            for each in parsed
        ]
    except SqlglotError as exc:
        return [], re.sub(r"\x1b\[\d*m", "", str(exc)).splitlines()[0][:300]
    except RecursionError:
        return [], "it is nested too deeply"
    return plain, None if plain else "there is no statement"


def _qualified(statement: Any) -> Any:
    """With the table's name before each column where only one table can be meant."""
    from sqlglot import exp
    from sqlglot.optimizer.scope import traverse_scope

    for scope in traverse_scope(statement) if isinstance(statement, exp.Query) else ():
        if len(scope.selected_sources) == 1 and not scope.is_subquery:
            (name,) = scope.selected_sources
            for column in scope.columns:
                if not column.table:
                    column.set("table", exp.to_identifier(name))
    return statement


ENTRIES: Entries = {
    "json_valid": Entry(about="The answer is JSON.", options=JsonOptions, build=json_valid),
    "json_schema": Entry(
        about="The answer is JSON that a schema allows.",
        options=SchemaOptions,
        build=json_schema,
        packages=("jsonschema",),
    ),
    "field_f1": Entry(
        about="How many of the expected object's fields the answer has, and no others (F1).",
        options=FieldsOptions,
        build=field_f1,
    ),
    "numeric": Entry(about="The answer's number is the expected one.", options=NumericOptions, build=numeric),
    "sql": Entry(
        about="The answer is a statement that means the same as the expected one, both in their plainest form.",
        options=SqlOptions,
        build=sql,
        packages=("sqlglot",),
    ),
}
