"""How commands speak: tables and colours on a terminal, plain lines into a pipe, errors on standard error."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn

import typer

OK, FAILED, USAGE, CONFIG, STORE, INTERRUPTED = 0, 1, 2, 3, 4, 130
"""Exit codes, documented in docs/cli.md."""


@contextmanager
def exits() -> Iterator[None]:
    """Inside it, what goes wrong becomes a sentence on standard error and an exit code."""
    from gateway.faults import InvalidConfigError
    from gateway.secrets import PepperError
    from providers.errors import GatewayError, InvalidRequest, StorageUnavailable
    from tracking.database import AWAY, NewerSchemaError, StoreURLError, reason

    try:
        yield
    except InvalidConfigError as exc:
        fail(CONFIG, *exc.lines())
    except (StoreURLError, PepperError) as exc:
        fail(CONFIG, str(exc))
    except NewerSchemaError as exc:
        fail(STORE, str(exc))
    except StorageUnavailable as exc:
        fail(STORE, exc.message)
    except InvalidRequest as exc:
        fail(USAGE, exc.message)
    except GatewayError as exc:
        fail(FAILED, exc.message)
    except BrokenPipeError:
        # Whoever read our output has had enough. Python would complain when it flushes the rest at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise typer.Exit(OK) from None
    except AWAY as exc:
        fail(STORE, f"the store does not answer: {reason(exc)}")


def fail(code: int, *lines: str) -> NoReturn:
    for line in lines:
        typer.echo(printable(line), err=True)
    raise typer.Exit(code)


def tell(line: str) -> None:
    """Something for the person in front of it, which is not the command's output."""
    typer.echo(printable(line), err=True)


def emit(value: Any, *, indent: bool = False) -> None:
    """A value as JSON: one line, or for people more."""
    import orjson

    options = orjson.OPT_INDENT_2 if indent else 0
    sys.stdout.buffer.write(orjson.dumps(value, option=options) + b"\n")
    sys.stdout.buffer.flush()


def write(body: bytes, out: Path | None) -> None:
    """To a file, or where that is None to standard output."""
    if out is None:
        sys.stdout.buffer.write(body)
        sys.stdout.buffer.flush()
        return
    try:
        out.write_bytes(body)
    except OSError as exc:
        fail(USAGE, f"{str(out)!r} cannot be written: {exc.strerror}")


def show(headings: Sequence[str], rows: Sequence[Sequence[str]], *, right: frozenset[str] = frozenset()) -> None:
    """A table on a terminal; lines of values between tabs in a pipe, the headings first."""
    if not sys.stdout.isatty():
        for row in (headings, *rows):
            typer.echo("\t".join(printable(each).replace("\t", " ") for each in row))
        return
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in headings:
        table.add_column(heading, justify="right" if heading in right else "left", no_wrap=heading == headings[0])
    for row in rows:
        table.add_row(*(Text(printable(each)) for each in row))
    Console().print(table)


def printable(text: str) -> str:
    """Without control characters: what others wrote cannot drive the terminal that it is shown on."""
    return "".join(each if each.isprintable() or each == "\n" else f"\\x{ord(each):02x}" for each in text)
