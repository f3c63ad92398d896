"""What is published about the configuration is what the settings are: example, schema and documentation."""

from __future__ import annotations

import json
import re
from pathlib import Path

import jsonschema
import pytest
import yaml

from gateway.configuration import load
from gateway.schema import schema
from providers.table import PROVIDERS
from tests.gateway.documented import provider_row, tables

ROOT = Path(__file__).parents[2]
DOCS = (ROOT / "docs/configuration.md").read_text()


def test_the_example_serves_on_a_machine_without_any_key() -> None:
    loaded = load(ROOT / "config.example.yaml", {})
    assert [endpoint.name for endpoint in loaded.settings.endpoints] == ["chat", "embed"]
    assert set(loaded.settings.providers) == {"demo"}


def test_the_published_schema_is_that_of_the_settings_and_takes_the_example() -> None:
    published = json.loads((ROOT / "docs/gatelog.schema.json").read_text())
    assert published == schema(), "run: gatelog schema > docs/gatelog.schema.json"
    jsonschema.Draft202012Validator.check_schema(published)
    validator = jsonschema.Draft202012Validator(published)
    validator.validate(yaml.safe_load((ROOT / "config.example.yaml").read_text()))
    validator.validate({"server": {"port": "$PORT", "max_body": "1MiB"}, "logging": {"level": "${LEVEL:-info}"}})
    assert not validator.is_valid({"server": {"port": "4000"}})
    assert not validator.is_valid({"endpoints": [{"nam": "a"}]})


def test_every_part_of_the_schema_says_what_it_is_for() -> None:
    for name, definition in {**schema()["$defs"], "Settings": schema()}.items():
        assert definition["description"], name
        for setting, said in definition["properties"].items():
            assert "description" in said or "$ref" in said, f"{name}.{setting}"


@pytest.mark.parametrize(("model", "expected"), tables().items())
def test_every_setting_is_in_the_documentation_as_it_is(model: str, expected: list[str]) -> None:
    missing = [row for row in expected if row not in DOCS.splitlines()]
    assert not missing, f"docs/configuration.md lacks, for {model}:\n" + "\n".join(missing)


def test_every_built_in_provider_is_in_the_documentation() -> None:
    missing = [row for row in map(provider_row, PROVIDERS.values()) if row not in DOCS.splitlines()]
    assert not missing, "docs/configuration.md lacks:\n" + "\n".join(missing)


@pytest.mark.parametrize("block", re.findall(r"```yaml\n(.*?)```", DOCS, re.DOTALL))
def test_every_example_in_the_documentation_loads(block: str, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("sk-secret-of-16-characters")
    text = block.replace("/run/secrets/anthropic", str(tmp_path / "secret"))
    (tmp_path / "gatelog.yaml").write_text(text)
    load(tmp_path / "gatelog.yaml", dict.fromkeys(re.findall(r"\$([A-Z_]+)", text), "sk-secret-of-16-characters"))
