"""Every provider that is built in, one frozen entry each; those of a config file become the same record.

What an entry says of a provider's answers (usage, finish reasons, the end of a stream) was seen in recorded ones, where
there are recordings of it. Addresses and names of variables are from its documentation. What it refuses is seen in no
recording: each such fact says where it is from.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from providers import anthropic, demo, gemini, gemini_embeddings, mistral, openai_usage
from providers.auth import Auth, bearer, header
from providers.chat import Json, Kind
from providers.dialect import Surface
from providers.habits import CARRIERS, Habits
from providers.inside import Respond
from providers.openai import Chat
from providers.openai_completions import Completions
from providers.openai_embeddings import Embeddings
from providers.over_chat import OverChat

OF_STREAMS = frozenset({"model", "stream", "stream_options"})
"""What the gateway itself reads, whether or not the surface has a word for it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Provider:
    name: str
    base_url: str
    """Empty where it is different for everybody, and must be configured."""
    surfaces: Mapping[Kind, Surface]
    """A kind that is missing is one that it does not have."""
    auth: Auth = bearer
    headers: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    refuses: frozenset[str] = frozenset()
    """Parameters that it rejects although its surface has a word for them."""
    key_variables: tuple[str, ...] = ()
    """Environment variables in which its key is usually found, in the order in which they are looked at."""
    base_url_variables: tuple[str, ...] = ()
    key_optional: bool = False
    prices: str | None = None
    """Its id in genai-prices; None where nobody prices it."""
    free: bool = False
    """It charges nothing: a known price of zero, which an unknown one is not."""
    inside: Respond | None = None
    """For one that is in this process, what answers in place of a network."""

    def refused(self, kind: Kind, request: Json) -> frozenset[str]:
        """Parameters that were given (null is not given) and that it has no word for."""
        given = {name for name, value in request.items() if value is not None}
        known = self.surfaces[kind].PARAMS
        unknown: set[str] = set() if known is None else given - known - OF_STREAMS
        return frozenset(unknown | (given & self.refuses))


def speaking_openai(
    habits: Habits, *, completions: bool = False, embeddings: bool = False, embeddings_at: str = "/embeddings"
) -> Mapping[Kind, Surface]:
    """The surfaces of one that follows OpenAI. Without legacy completions of its own, they go over its chat."""
    chat = Chat(habits=habits)
    surfaces: dict[Kind, Surface] = {"chat": chat}
    surfaces["completions"] = Completions(habits=habits) if completions else OverChat(chat)
    if embeddings:
        surfaces["embeddings"] = Embeddings(habits=habits, at=embeddings_at)
    return MappingProxyType(surfaces)


FOLLOWER = Habits(usage=openai_usage.compatible, stop_hides_tools=True)
"""One that follows OpenAI and about whom nothing else is known."""

STRICT = replace(FOLLOWER, refuses_in_messages=CARRIERS)
"""One that answers 400 to a message with a key that it does not know: `property 'reasoning_content' is unsupported`."""

AZURE = Habits(usage=openai_usage.compatible)
"""OpenAI's own models answer as OpenAI's do; Grok, which it also hosts, leaves reasoning out of its tokens."""


def azure_deployments(api_version: str = "2024-10-21") -> Provider:
    """Azure's older URLs: the model is the name of a deployment, and every URL carries a version of the API."""
    at = f"/openai/deployments/{{model}}/%s?api-version={api_version}"
    return Provider(
        name="azure",
        base_url="",
        surfaces=MappingProxyType(
            {
                "chat": Chat(habits=AZURE, at=at % "chat/completions"),
                "completions": Completions(habits=AZURE, at=at % "completions"),
                "embeddings": Embeddings(habits=AZURE, at=at % "embeddings"),
            }
        ),
        auth=header("api-key"),
        key_variables=("AZURE_OPENAI_API_KEY", "AZURE_API_KEY"),
        base_url_variables=("AZURE_OPENAI_ENDPOINT", "AZURE_API_BASE"),
        prices="azure",
    )


_OPENAI_LIKE = (
    Provider(
        name="openai",
        base_url="https://api.openai.com/v1",
        surfaces=speaking_openai(Habits(), completions=True, embeddings=True),
        key_variables=("OPENAI_API_KEY",),
        base_url_variables=("OPENAI_BASE_URL",),
        prices="openai",
    ),
    azure_deployments(),
    Provider(
        # Azure's newer URLs: a base URL that ends in /openai/v1, the deployment in the body, no version.
        name="azure-v1",
        base_url="",
        surfaces=speaking_openai(AZURE, completions=True, embeddings=True),
        auth=header("api-key"),
        key_variables=("AZURE_OPENAI_API_KEY", "AZURE_API_KEY"),
        base_url_variables=("AZURE_OPENAI_V1_ENDPOINT",),
        prices="azure",
    ),
    Provider(
        # Models of others on Azure: a base URL like https://name.services.ai.azure.com
        name="azure-ai",
        base_url="",
        surfaces=MappingProxyType(
            {"chat": Chat(habits=AZURE, at="/models/chat/completions?api-version=2024-05-01-preview")}
        ),
        auth=header("api-key"),
        key_variables=("AZURE_AI_API_KEY",),
        base_url_variables=("AZURE_AI_ENDPOINT",),
        prices="azure",
    ),
    Provider(
        name="groq",
        base_url="https://api.groq.com/openai/v1",
        surfaces=speaking_openai(STRICT),  # https://github.com/janhq/jan/issues/8136
        # https://console.groq.com/docs/openai: a 400 if they are supplied
        refuses=frozenset({"logit_bias", "logprobs", "top_logprobs"}),
        key_variables=("GROQ_API_KEY",),
        base_url_variables=("GROQ_BASE_URL",),
        prices="groq",
    ),
    Provider(
        name="together",
        base_url="https://api.together.xyz/v1",
        surfaces=speaking_openai(FOLLOWER, completions=True, embeddings=True),
        key_variables=("TOGETHER_API_KEY", "TOGETHERAI_API_KEY"),
        prices="together",
    ),
    Provider(
        name="fireworks",
        base_url="https://api.fireworks.ai/inference/v1",
        surfaces=speaking_openai(FOLLOWER, completions=True, embeddings=True),
        key_variables=("FIREWORKS_API_KEY", "FIREWORKS_AI_API_KEY"),
        prices="fireworks",
    ),
    Provider(
        name="deepseek",
        base_url="https://api.deepseek.com",
        surfaces=speaking_openai(Habits(usage=openai_usage.deepseek, stop_hides_tools=True)),
        key_variables=("DEEPSEEK_API_KEY",),
        prices="deepseek",
    ),
    Provider(
        name="xai",
        base_url="https://api.x.ai/v1",
        surfaces=speaking_openai(Habits(usage=openai_usage.xai, stop_hides_tools=True)),
        key_variables=("XAI_API_KEY",),
        prices="x-ai",
    ),
    Provider(
        name="openrouter",
        base_url="https://openrouter.ai/api/v1",
        surfaces=speaking_openai(
            Habits(usage=openai_usage.openrouter, stop_hides_tools=True), completions=True, embeddings=True
        ),
        key_variables=("OPENROUTER_API_KEY",),
        prices="openrouter",
    ),
    Provider(
        name="mistral",
        base_url="https://api.mistral.ai/v1",
        surfaces=speaking_openai(
            Habits(
                usage=openai_usage.compatible,
                stop_hides_tools=True,
                # An unknown field is a 422, and this is one; the last chunk has the usage all the same.
                takes_stream_options=False,
                # So are these, of a message. What the model thought is a part of the content, which `spell` sees to.
                refuses_in_messages=CARRIERS - {"reasoning_content"},
                spell=mistral.spell,
                reshape=mistral.plain,
            ),
            embeddings=True,
        ),
        # It answers 422 to what its schema does not have (https://github.com/mistralai/platform-docs-public/issues/7),
        # and these are not in its API reference; nobody has sent them to see.
        refuses=frozenset({"logit_bias", "logprobs", "top_logprobs", "store"}),
        key_variables=("MISTRAL_API_KEY",),
        prices="mistral",
    ),
    Provider(
        name="perplexity",
        base_url="https://api.perplexity.ai",
        surfaces=speaking_openai(
            # Its streams just end after the finish reason.
            Habits(usage=openai_usage.perplexity, sends_done=False),
            embeddings=True,
            embeddings_at="/v1/embeddings",
        ),
        # Its API reference has no tools, and it would answer as if none had been offered. Not verified.
        refuses=frozenset({"tools", "tool_choice"}),
        key_variables=("PERPLEXITY_API_KEY", "PERPLEXITYAI_API_KEY", "PPLX_API_KEY"),
        prices="perplexity",
    ),
    Provider(
        name="cerebras",
        base_url="https://api.cerebras.ai/v1",
        surfaces=speaking_openai(STRICT, completions=True),  # https://github.com/Kilo-Org/kilocode/issues/10375
        # https://inference-docs.cerebras.ai/resources/openai: a 400 if they are supplied
        refuses=frozenset({"frequency_penalty", "logit_bias", "presence_penalty"}),
        key_variables=("CEREBRAS_API_KEY",),
        prices="cerebras",
    ),
    Provider(
        name="huggingface",
        base_url="https://router.huggingface.co/v1",
        surfaces=speaking_openai(FOLLOWER),
        key_variables=("HF_TOKEN", "HUGGINGFACE_API_KEY"),
    ),
    Provider(
        name="ollama",
        base_url="http://127.0.0.1:11434/v1",
        surfaces=speaking_openai(FOLLOWER, completions=True, embeddings=True),
        key_variables=("OLLAMA_API_KEY",),
        base_url_variables=("OLLAMA_BASE_URL",),
        key_optional=True,
    ),
    Provider(
        name="vllm",
        base_url="http://127.0.0.1:8000/v1",
        surfaces=speaking_openai(FOLLOWER, completions=True, embeddings=True),
        key_variables=("VLLM_API_KEY",),
        base_url_variables=("VLLM_BASE_URL",),
        key_optional=True,
    ),
    Provider(
        name="lm-studio",
        base_url="http://127.0.0.1:1234/v1",
        surfaces=speaking_openai(FOLLOWER, completions=True, embeddings=True),
        key_variables=("LM_STUDIO_API_KEY",),
        base_url_variables=("LM_STUDIO_BASE_URL",),
        key_optional=True,
    ),
)

# Those with a language of their own, and the one that is inside: an entry each, added to this tuple.
_OTHERS: tuple[Provider, ...] = (
    Provider(
        name="anthropic",
        base_url="https://api.anthropic.com",
        surfaces=MappingProxyType({"chat": anthropic, "completions": OverChat(anthropic)}),
        auth=header("x-api-key"),
        headers=MappingProxyType({"anthropic-version": "2023-06-01"}),
        key_variables=("ANTHROPIC_API_KEY",),
        base_url_variables=("ANTHROPIC_BASE_URL",),
        prices="anthropic",
    ),
    Provider(
        name="gemini",
        base_url="https://generativelanguage.googleapis.com/v1beta",
        surfaces=MappingProxyType({"chat": gemini, "completions": OverChat(gemini), "embeddings": gemini_embeddings}),
        auth=header("x-goog-api-key"),
        key_variables=("GEMINI_API_KEY", "GOOGLE_API_KEY"),
        prices="google",
    ),
    Provider(
        name="demo",
        base_url="inside://demo/v1",
        surfaces=speaking_openai(Habits(), completions=True, embeddings=True),
        key_optional=True,
        free=True,
        inside=demo.respond,
    ),
)

PROVIDERS: Mapping[str, Provider] = MappingProxyType({entry.name: entry for entry in (*_OPENAI_LIKE, *_OTHERS)})
"""Every built-in, by name."""

DIALECTS: Mapping[str, Provider] = MappingProxyType(
    {
        "openai": Provider(
            name="openai",
            base_url="",
            surfaces=speaking_openai(FOLLOWER, completions=True, embeddings=True),
            key_optional=True,
        ),
        **{entry.name: entry for entry in _OTHERS if not entry.inside},
    }
)
"""The template for a provider from the config file, by the name of the language that it speaks."""

VERSIONED: Mapping[str, Callable[[str], Provider]] = MappingProxyType({"azure": azure_deployments})
"""Those whose URLs carry a version of the API that whoever configures them chooses: version -> record."""
