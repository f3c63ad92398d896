"""A configuration is taken whole or refused with every fault, its place, and what would be right."""

from __future__ import annotations

import json
import pickle
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, get_args

import pytest
from pydantic import BaseModel, SecretStr

from gateway.configuration import InvalidConfigError, Loaded, Options, load
from gateway.references import FILES
from gateway.settings import Settings
from providers.target import Timeouts

KEYS = {"OPENAI_API_KEY": "sk-openai", "ANTHROPIC_API_KEY": "sk-anthropic"}

Loading = Callable[..., Loaded]


@pytest.fixture
def loading(tmp_path: Path) -> Loading:
    """Loads a text as if it were a file: `loading(text, options, NAME=value)`."""

    def load_text(text: str, options: Options | None = None, **environ: str) -> Loaded:
        file = tmp_path / "gatelog.yaml"
        file.write_text(text)
        return load(file, environ, options)

    return load_text


def faults(loading: Loading, text: str, options: Options | None = None, **environ: str) -> list[tuple[Any, ...]]:
    with pytest.raises(InvalidConfigError) as caught:
        loading(text, options, **environ)
    return [(fault.where, fault.line, fault.message) for fault in caught.value.faults]


def the_fault(loading: Loading, text: str, **environ: str) -> str:
    ((where, line, message),) = faults(loading, text, None, **environ)
    return f"{where}:{line}: {message}"


def test_the_shape_of_the_readme_loads_with_everything_else_at_its_default(loading: Loading) -> None:
    settings = loading(
        """
server: {host: 127.0.0.1, port: 4001}
auth: {mode: keys, admin_key: $GATELOG_ADMIN_KEY}
providers:
  openai: {api_key: $OPENAI_API_KEY}
  anthropic:
  my-vllm: {dialect: openai, base_url: http://127.0.0.1:8000/v1}
endpoints:
  - name: chat
    targets:
      - {provider: openai, model: gpt-4o-mini, weight: 9}
      - {provider: anthropic, model: claude-sonnet-4-5}
    fallbacks: [{provider: my-vllm, model: llama-3.1-8b}]
    retries: 1
""",
        GATELOG_ADMIN_KEY="0123456789abcdef",
        **KEYS,
    ).settings
    (endpoint,) = settings.endpoints
    assert (settings.server.port, settings.server.workers, settings.server.max_body) == (4001, 1, 32 * 1024 * 1024)
    assert (endpoint.type, endpoint.retries, endpoint.targets[0].weight, endpoint.targets[1].weight) == (
        "chat",
        1,
        9,
        1,
    )
    assert settings.providers["openai"].credentials() == (("default", "sk-openai"),)
    assert settings.providers["anthropic"].credentials() == (("default", "sk-anthropic"),)
    assert settings.providers["my-vllm"].credentials() == (("default", None),)
    assert "demo" in settings.providers


def test_without_a_file_providers_are_those_of_the_environment_and_the_demo() -> None:
    loaded = load(None, {**KEYS, "OPENAI_BASE_URL": "https://eu.api.openai.com/v1", "GROQ_API_KEY": ""})
    assert set(loaded.settings.providers) == {"openai", "anthropic", "demo"}
    assert loaded.providers["openai"].base_url == "https://eu.api.openai.com/v1"
    assert loaded.settings.endpoints == ()
    assert set(load(None, {}).settings.providers) == {"demo"}


def test_without_a_file_the_admin_key_may_be_in_the_environment() -> None:
    key = load(None, {"GATELOG_ADMIN_KEY": "0123456789abcdef"}).settings.auth.admin_key
    assert key is not None
    assert key.get_secret_value() == "0123456789abcdef"
    assert load(None, {"GATELOG_ADMIN_KEY": ""}).settings.auth.admin_key is None


def test_a_provider_whose_address_is_everybodys_own_is_found_only_with_its_address() -> None:
    assert "azure" not in load(None, {"AZURE_OPENAI_API_KEY": "k"}).settings.providers
    environ = {"AZURE_OPENAI_API_KEY": "k", "AZURE_OPENAI_ENDPOINT": "https://my.openai.azure.com"}
    assert "azure" in load(None, environ).settings.providers
    assert "ollama" in load(None, {"OLLAMA_BASE_URL": "http://127.0.0.1:11434/v1"}).settings.providers


def test_a_file_has_only_the_providers_that_it_lists_unless_it_asks_for_the_others(loading: Loading) -> None:
    assert set(loading("store: sqlite:///x.db", **KEYS).settings.providers) == {"demo"}
    found = loading("discover_providers: true\nproviders: {openai: {api_key: mine}}", **KEYS).settings.providers
    assert set(found) == {"openai", "anthropic", "demo"}
    assert found["openai"].credentials() == (("default", "mine"),)


def test_every_fault_is_told_at_once_with_its_line(loading: Loading) -> None:
    found = faults(
        loading,
        """
server:
  port: 70000
  hots: 127.0.0.1
providers:
  mine: {dialect: openai, base_url: "http://h:99999/v1"}
endpoints:
  - name: chat
    type: chart
    targets: [{provider: demo, model: words}]
  - name: other
    targets: [{provider: opnai, model: gpt-4o-mini}]
store: mysql://user:secret@host/db
""",
    )
    assert [(where, line) for where, line, _ in found] == [
        ("server.port", 3),
        ("server.hots", 4),
        ("providers.mine.base_url", 6),
        ("endpoints[0].type", 9),
        ("endpoints[1].targets[0].provider", 12),
        ("store", 13),
    ]
    assert "did you mean 'host'?" in found[1][2]
    assert "'chat', 'completions' or 'embeddings'" in found[3][2]
    assert "secret" not in found[5][2]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("port: 1", "port:1: there is no such setting; there are server,"),
        ("server: 4000", "server:1: this should be a mapping of settings, not a number"),
        ("server: {port: on}", "'on' cannot be used: it should be a whole number"),
        ("server: {port: true}", "True is a boolean, and this is a number"),
        ("server: {max_body: 12 apples}", "it should be a number of bytes"),
        ("server: {host: http://x}", "'http://x' is neither an IP address nor a host name"),
        ("server: {allowed_hosts: [x:80]}", "'x:80' is no host name"),
        (
            "server: {host: 0.0.0.0}\nauth: {mode: open}",
            "auth.mode:2: 'open' lets everybody in who can reach '0.0.0.0'",
        ),
        ("auth: {admin_key: short}", "it has 5 characters; give it at least 16"),
        ("store: 'sqlite:///:memory:'", "a database in memory would forget every call"),
        ("providers: {OpenAI: {}}", "cannot be used: a provider's name has up to 64 lowercase letters"),
        ("providers: {opnai: {}}", "'opnai' is not built in (did you mean 'openai'?)"),
        ("providers: {openai: {}}", "openai needs a credential: give it as api_key, or set the environment variable"),
        ("providers: {openai: {api_key: ''}}", "it is empty"),
        ("providers: {openai: {api_key: a, api_keys: [b]}}", "it has both api_key and api_keys"),
        ("providers: {openai: {dialect: openai, api_key: a}}", "'openai' is built in and knows its dialect"),
        ("providers: {mine: {dialect: opnai, base_url: 'http://h'}}", "the dialect 'opnai' is unknown"),
        ("providers: {mine: {dialect: openai}}", "'mine' is not built in, so it needs a `base_url`"),
        ("providers: {azure: {api_key: k}}", "'azure' has another address for everybody"),
        ("providers: {openai: {api_key: k, api_version: '1'}}", "has no version to choose"),
        ("providers: {mine: {dialect: openai, base_url: 'ftp://h/v1'}}", "begins with neither http:// nor https://"),
        ("providers: {mine: {dialect: openai, base_url: 'http://u:p@h/v1'}}", "cannot hold a user or a password"),
        ("providers: {mine: {dialect: openai, base_url: 'http://h:99999/v1'}}", "Port out of range"),
        ("providers: {mine: {dialect: openai, base_url: 'http://h/v1?x=1'}}", "has a query or a fragment"),
        ("providers: {openai: {api_key: k, headers: {Host: x}}}", "is set by the gateway and cannot be configured"),
        ("providers: {openai: {api_key: k, proxy: 'socks5://h'}}", "a proxy is given as http://host:port"),
        ("endpoints: {chat: {}}", "endpoints:1: this should be a list, not a mapping"),
        ("endpoints: [{targets: []}]", "endpoints[0].name:1: 'name' is missing here"),
        ("endpoints: [{name: a/b, targets: [{provider: demo, model: m}]}]", "a slash is for provider/model"),
        ("endpoints: [{name: a}]", "the endpoint 'a' has no targets"),
        ("endpoints: [{name: a, retries: 11, targets: [{provider: demo, model: m}]}]", "less than or equal to 10"),
        ("endpoints: [{name: a, targets: [{provider: demo, model: m, weight: 0}]}]", "should be greater than 0"),
        (
            "endpoints: [{name: a, targets: [{provider: dmo, model: m}]}]",
            "'dmo' is not configured (did you mean 'demo'?)",
        ),
        (
            "endpoints: [{name: a, targets: [&t {provider: demo, model: m}], fallbacks: [{<<: *t, weight: 1}]}]",
            "fallbacks are tried in their order, so a weight says nothing",
        ),
        ("prompts: {endpoint: nowhere}", "'nowhere' is neither an endpoint nor a model of a provider"),
        ("prompts: {endpoint: nobody/model}", "'nobody/model' is neither an endpoint nor a model of a provider"),
        ("webhooks: {allow: [localhost]}", "'localhost' is no host and port, as localhost:9000"),
        (
            "endpoints:\n- &a {name: a, targets: [{provider: demo, model: m}]}\n- {<<: *a, name: a}",
            "endpoints[1].name:3: 'a' is the name of endpoints[0] already",
        ),
        (
            "providers: {anthropic: {api_key: k}}\n"
            "endpoints: [{name: a, type: embeddings, targets: [{provider: anthropic, model: m}]}]",
            "anthropic has no embeddings, which is the type of the endpoint 'a'; it has chat, completions",
        ),
        (
            "providers: {groq: {api_key: k}}\n"
            "endpoints: [{name: a, targets: [{provider: groq, model: m, parameters: {logit_bias: {}}}]}]",
            "endpoints[0].targets[0].parameters.logit_bias:2: groq does not take 'logit_bias'",
        ),
        (
            "endpoints: [{name: a, targets: [{provider: demo, model: m, parameters: {stream: true}}]}]",
            "'stream' is the caller's",
        ),
        (
            "endpoints: [{name: a, targets: [{provider: demo, model: m, price: {search: 1}}]}]",
            "a price needs at least one of",
        ),
        (
            "endpoints: [{name: a, targets: [{provider: demo, model: m, price: {input: -1}}]}]",
            "greater than or equal to 0",
        ),
        (
            "endpoints: [{name: a, targets: [{provider: demo, model: m}], timeouts: {idle: 0}}]",
            "should be greater than 0",
        ),
        ("retention: {runs_days: 0}", "should be greater than or equal to 1"),
    ],
)
def test_what_is_wrong_is_named_with_what_would_be_right(loading: Loading, text: str, said: str) -> None:
    assert said in the_fault(loading, text)


def test_a_file_that_is_not_text_or_not_there_is_refused(tmp_path: Path) -> None:
    binary = tmp_path / "binary.yaml"
    binary.write_bytes(b"store: x\nserver: \xff")
    with pytest.raises(InvalidConfigError, match=r"binary.yaml:2:9: the file is not UTF-8 text"):
        load(binary, {})
    with pytest.raises(InvalidConfigError, match="the file cannot be read: No such file"):
        load(tmp_path / "missing.yaml", {})


def test_words_and_dates_are_text_as_in_yaml_1_2(loading: Loading) -> None:
    azure = "{api_key: k, base_url: https://x.openai.azure.com, api_version: 2024-10-21}"
    loaded = loading(
        f"providers: {{azure: {azure}}}\nendpoints: [{{name: on, targets: [{{provider: demo, model: yes}}]}}]"
    )
    assert loaded.settings.providers["azure"].api_version == "2024-10-21"
    assert loaded.settings.endpoints[0].name == "on"
    (path,) = {loaded.providers["azure"].surfaces["chat"].path("deployed", False)}
    assert "deployed" in path
    assert path.endswith("api-version=2024-10-21")


def test_anchors_and_merge_keys_work(loading: Loading) -> None:
    endpoints = loading(
        """
endpoints:
  - &base {name: a, retries: 5, targets: [{provider: demo, model: words}]}
  - {<<: *base, name: b}
"""
    ).settings.endpoints
    assert [(each.name, each.retries) for each in endpoints] == [("a", 5), ("b", 5)]


def test_references_stand_for_the_environment_anywhere_in_a_text(loading: Loading) -> None:
    settings = loading(
        """
server: {port: $PORT, host: "${HOST:-127.0.0.1}", drain_seconds: "${EMPTY:-5}"}
artifacts: /data/$NAME/${NAME}-$$HOME
""",
        PORT="4444",
        NAME="a$PORT",
        EMPTY="",
    ).settings
    assert (settings.server.port, settings.server.host, settings.server.drain_seconds) == (4444, "127.0.0.1", 5)
    assert settings.artifacts == "/data/a$PORT/a$PORT-$HOME"


def test_a_variable_that_is_not_set_is_one_fault_that_names_it(loading: Loading) -> None:
    said = the_fault(loading, "providers:\n  openai: {api_key: $OPENAI_KEY}")
    assert said.startswith("providers.openai.api_key:2: the environment variable OPENAI_KEY is not set")
    assert "a lone `$`" in the_fault(loading, "artifacts: 5$")


def test_a_secret_may_be_in_a_file_of_its_own(loading: Loading, tmp_path: Path) -> None:
    (tmp_path / "key").write_text("sk-from-file\n")
    text = "providers: {openai: {api_keys: ['file:key', 'file:$WHERE/key']}}"
    loaded = loading(text, WHERE=str(tmp_path))
    assert loaded.settings.providers["openai"].credentials() == (("key-1", "sk-from-file"), ("key-2", "sk-from-file"))
    assert loaded.files == (tmp_path / "gatelog.yaml", tmp_path / "key", tmp_path / "key")
    assert "cannot be read: No such file" in the_fault(loading, "providers: {openai: {api_key: file:nowhere}}")
    assert loading("artifacts: file:key").settings.artifacts == "file:key"


def test_every_secret_setting_may_be_a_file() -> None:
    def secrets(annotation: Any, path: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
        if annotation is SecretStr:
            yield path
        elif isinstance(annotation, type) and issubclass(annotation, BaseModel):
            for name, field in annotation.model_fields.items():
                yield from secrets(field.annotation, (*path, name))
        else:
            inner = [each for each in get_args(annotation) if each not in (type(None), Ellipsis)]
            many = getattr(annotation, "__origin__", None) in (tuple, dict)
            if inner:
                yield from secrets(inner[-1] if many else inner[0], (*path, "*") if many else path)

    assert set(secrets(Settings, ())) <= set(FILES)


SECRET = "sk-very-secret-0123456789"


@pytest.mark.parametrize(
    "text",
    [
        f'providers: {{openai: {{api_key: "{SECRET}\\n"}}}}',
        f"providers: {{openai: {{api_key: {{nested: {SECRET}}}}}}}",
        f"providers: {{openai: {SECRET}}}",
        f"providers: {{openai: {{apikey: {SECRET}}}}}",
        f"providers: {{openai: {{api_keys: {SECRET}}}}}",
        f"auth: {SECRET}",
        f"auth: {{admin_keys: {SECRET}}}",
        f"auth: {{mode: {SECRET[:2]}, admin_key: {{a: {SECRET}}}}}",
        f"store: mysql://user:{SECRET}@host/db",
        f"providers: {{mine: {{dialect: openai, base_url: 'http://user:{SECRET}@host/v1'}}}}",
        f"providers: {{openai: {{api_key: k, proxy: 'ftp://user:{SECRET}@host'}}}}",
        "server: {port: $SECRET}",
        "auth: {mode: $SECRET}",
        "logging: {level: x$SECRET}",
    ],
)
def test_no_message_shows_a_secret(loading: Loading, text: str) -> None:
    with pytest.raises(InvalidConfigError) as caught:
        loading(text, SECRET=SECRET)
    assert SECRET not in str(caught.value)
    assert SECRET not in repr(caught.value)


def test_a_configuration_is_shown_and_named_without_its_secrets(loading: Loading) -> None:
    text = "store: postgresql://u:{0}@h/d\nproviders: {{openai: {{api_key: {0}, proxy: 'http://u:{0}@h:1'}}}}"
    one, other = loading(text.format("aaaa-secret")), loading(text.format("bbbb-secret"))
    shown = json.dumps(one.settings.public()) + repr(one)
    assert one.revision == other.revision
    assert re.fullmatch("[0-9a-f]{12}", one.revision)
    assert "postgresql://u:***@h/d" in json.dumps(one.settings.public())
    assert "aaaa-secret" not in json.dumps(one.settings.public())
    assert "aaaa-secret" not in repr(one.settings.providers)
    assert one.settings != other.settings
    assert loading(text.format("a") + "\nretention: {runs_days: 1}").revision != one.revision
    assert shown


def test_an_option_wins_over_the_file_and_is_blamed_for_what_it_says(loading: Loading) -> None:
    options = {("server", "port"): 5000, ("store",): "sqlite:///other.db"}
    settings = loading("server: {port: 4000, workers: 2}", options).settings
    assert (settings.server.port, settings.server.workers, settings.store) == (5000, 2, "sqlite:///other.db")
    found = faults(loading, "server: {port: 4000}\nauth: {mode: open}", {("server", "host"): "0.0.0.0"})
    assert [where for where, _, _ in found] == ["auth.mode"]
    assert faults(loading, "{}", {("server", "port"): 70_000})[0][0] == "option --port"


def test_an_endpoint_takes_from_the_defaults_what_it_does_not_say(loading: Loading) -> None:
    settings = loading(
        """
defaults: {retries: 4, log_payloads: none, timeouts: {idle: 10, total: 100}}
providers: {demo: {timeouts: {total: 200, connect: 2}}}
endpoints:
  - name: a
    retries: 0
    timeouts: {first_token: 30}
    targets: [{provider: demo, model: words, timeouts: {connect: 3}}]
"""
    ).settings
    (endpoint,) = settings.endpoints
    direct = settings.direct("demo", "echo", "chat")
    assert (endpoint.retries, endpoint.log_payloads, direct.retries, direct.log_payloads) == (0, "none", 4, "none")
    assert settings.timeouts(endpoint, endpoint.targets[0]) == Timeouts(connect=3, first_token=30, idle=10, total=200)
    assert settings.timeouts(direct, direct.targets[0]) == Timeouts(connect=2, idle=10, total=200)


def test_a_price_in_the_file_is_exact(loading: Loading) -> None:
    text = "endpoints: [{name: a, targets: [{provider: demo, model: m, price: {input: 0.1, output: 0.30}}]}]"
    said = loading(text).settings.endpoints[0].targets[0].price
    assert said is not None
    assert said.price().snapshot() == {"input": "0.1", "output": "0.3", "source": "config"}


def test_the_journal_and_the_pepper_are_next_to_a_sqlite_store(loading: Loading, tmp_path: Path) -> None:
    settings = loading(f"store: sqlite:///{tmp_path}/runs.db").settings
    assert settings.journal_directory() == tmp_path / "runs.journal"
    assert settings.pepper_file() == tmp_path / "runs.pepper"
    assert loading("store: postgresql://u@h/d").settings.journal_directory() == Path("gatelog.journal")
    assert loading("journal: {directory: /j}").settings.journal_directory() == Path("/j")


def test_a_configuration_can_be_handed_to_a_worker_process() -> None:
    loaded = load(None, KEYS)
    again: Loaded = pickle.loads(pickle.dumps(loaded))
    assert again.settings == loaded.settings
    assert again.providers.keys() == loaded.providers.keys()
