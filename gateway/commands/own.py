"""A gateway for one command: on loopback, with a key that nobody else has."""

from __future__ import annotations

import os
from pathlib import Path

import typer

from gateway.commands.options import loaded
from gateway.commands.terminal import exits


def main(port: str, config: str, store: str) -> None:
    with exits():
        taken = loaded(
            Path(config) if config else None,
            {
                ("store",): store or None,
                ("server", "host"): "127.0.0.1",
                ("server", "port"): int(port),
                ("server", "workers"): 1,
                ("auth", "mode"): "keys",
                ("auth", "admin_key"): os.environ["GATELOG_OWN_KEY"],
            },
        )
        from gateway.logs import configure
        from gateway.server import run

        configure(taken.settings.logging)
        raise typer.Exit(run(taken))


if __name__ == "__main__":
    typer.run(main)
