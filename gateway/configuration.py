"""Loading the configuration: file, environment and command line in; settings out, or everything that is wrong."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from pathlib import Path as File
from typing import Any, TypeVar

import orjson
from pydantic import BaseModel, ValidationError

from gateway.checks import contradictions
from gateway.faults import Fault, InvalidConfigError, dotted, sentence
from gateway.marked import Document, Mark, Path, read
from gateway.references import Resolved, resolve
from gateway.setting_values import PROVIDER_NAME
from gateway.settings import EndpointSettings, Loaded, ProviderSettings, Settings, inherited
from providers.chat import Json
from providers.table import PROVIDERS, Provider

__all__ = ["Fault", "InvalidConfigError", "Loaded", "Options", "load", "revision"]

Options = Mapping[tuple[str, ...], Any]
"""Settings given on the command line, by their place: {("server", "port"): 4001}."""


S = TypeVar("S", bound=BaseModel)


def load(path: File | None, environ: Mapping[str, str], options: Options | None = None) -> Loaded:
    """The configuration of a file, or of the environment alone. InvalidConfigError says everything that is wrong."""
    options = options or {}
    document = _document(path)
    draft = _Draft(document, resolve(document.tree, environ, path.parent if path else File()))
    draft.add_options(options)
    draft.add_environment(environ)
    settings = draft.settings()
    if draft.faults:
        raise InvalidConfigError(path, sorted(draft.faults, key=lambda fault: (fault.line or 0, fault.column or 0)))
    files = (path, *draft.resolved.files) if path else ()
    return Loaded(settings, revision(settings), path, tuple(files), dict(options))


def _document(path: File | None) -> Document:
    if path is None:
        return Document({"discover_providers": True, "auth": {"admin_key": "${GATELOG_ADMIN_KEY:-}"}})
    try:
        return read(path.read_bytes())
    except OSError as exc:
        raise InvalidConfigError(path, [Fault("", f"the file cannot be read: {exc.strerror}")]) from exc


def revision(settings: Settings) -> str:
    return hashlib.sha256(orjson.dumps(settings.public(), option=orjson.OPT_SORT_KEYS)).hexdigest()[:12]


def _found(provider: Provider, environ: Mapping[str, str]) -> bool:
    """Whether the environment says enough of a built-in provider to call it."""
    key = any(environ.get(name) for name in provider.key_variables)
    base_url = any(environ.get(name) for name in provider.base_url_variables)
    return (key or (provider.key_optional and base_url)) and (base_url or bool(provider.base_url))


class _Draft:
    """A configuration on its way from a tree of values to settings, collecting what is wrong with it."""

    def __init__(self, document: Document, resolved: Resolved) -> None:
        self._marks = document.marks
        self._origins = resolved.origins
        self.resolved = resolved
        # A section or a provider with nothing under its name is one with its defaults.
        self._tree: Json = {name: value for name, value in resolved.tree.items() if value is not None}
        if type(self._tree.get("providers")) is dict:
            self._tree["providers"] = {
                name: {} if value is None else value for name, value in self._tree["providers"].items()
            }
        self._unresolved = {path for path, _ in resolved.faults}
        """What a reference did not give is None here, and has been complained of."""
        self.faults: list[Fault] = []
        for at, mark, message in document.faults:
            self._add(at, message, mark)
        for at, message in resolved.faults:
            self._add(at, message)

    def add_options(self, options: Options) -> None:
        for place, value in options.items():
            at = self._tree
            for name in place[:-1]:
                if type(at.get(name, {})) is not dict:
                    break
                at[name] = dict(at.get(name, {}))
                at = at[name]
            else:
                at[place[-1]] = value
            self._marks[place] = Mark(0, 0)

    def add_environment(self, environ: Mapping[str, str]) -> None:
        """Fill in what built-in providers usually have in the environment, and the demo provider."""
        if self._tree.get("auth") == {"admin_key": ""}:
            del self._tree["auth"]
        configured = self._tree.setdefault("providers", {})
        if type(configured) is not dict:
            return
        if self._tree.get("discover_providers") is True:
            for name, provider in PROVIDERS.items():
                if _found(provider, environ):
                    configured.setdefault(name, {})
        configured.setdefault("demo", {})
        for name, said in configured.items():
            if name not in PROVIDERS or type(said) is not dict:
                continue
            if not said.keys() & {"api_key", "api_keys"}:
                self._usual(name, "api_key", PROVIDERS[name].key_variables, environ)
            if "base_url" not in said:
                self._usual(name, "base_url", PROVIDERS[name].base_url_variables, environ)

    def settings(self) -> Settings:
        """The settings, without the parts that are wrong. Each part is checked by itself: no fault hides another."""
        providers: dict[str, ProviderSettings] = {}
        endpoints: dict[int, EndpointSettings] = {}
        sections: Json = {}
        broken = {str(at[1]) for at in self._unresolved if at[0] == "providers"}
        """Providers of whom something wrong has been said, so that nothing is said of what follows from it."""
        for section, said in self._tree.items():
            if section == "providers" and type(said) is dict:
                for name, each in said.items():
                    provider = self._checked(ProviderSettings, each, (section, name))
                    if provider is None or not re.match(PROVIDER_NAME, name):
                        broken.add(name)
                    elif name not in broken:
                        providers[name] = provider
                said = {name: {} for name in said}
            elif section == "endpoints" and type(said) is list:
                for index, each in enumerate(said):
                    if (endpoint := self._checked(EndpointSettings, each, (section, index))) is not None:
                        endpoints[index] = endpoint
                continue
            if self._checked(Settings, {section: said}, ()) is not None:
                sections[section] = said
        settings = Settings.model_validate(sections)
        for at, message in contradictions(settings, providers, endpoints, frozenset(broken)):
            self._add(at, message)
        taken = tuple(inherited(endpoint, settings.defaults) for endpoint in endpoints.values())
        return settings.model_copy(update={"providers": providers, "endpoints": taken})

    def _checked(self, model: type[S], said: Any, at: Path) -> S | None:
        try:
            return model.model_validate(said)
        except ValidationError as exc:
            for error in exc.errors(include_url=False):
                place = (*at, *(part for part in error["loc"] if part != "[key]"))
                if place not in self._unresolved:
                    self._add(place, sentence(error, model, self._origins.get(place)))
            return None

    def _usual(self, provider: str, setting: str, variables: tuple[str, ...], environ: Mapping[str, str]) -> None:
        for variable in variables:
            if environ.get(variable):
                self._tree["providers"][provider] = {
                    **self._tree["providers"][provider],
                    setting: environ[variable],
                }
                self._origins["providers", provider, setting] = f"${variable}"
                return

    def _add(self, at: Path, message: str, mark: Mark | None = None) -> None:
        if mark is None:
            known = at
            while known and known not in self._marks:
                known = known[:-1]
            mark = self._marks.get(known)
        if mark is not None and mark.line == 0:
            option = "--" + str(at[-1]).replace("_", "-")
            self.faults.append(Fault(f"option {option}", message))
            return
        line, column = (mark.line, mark.column) if mark else (None, None)
        self.faults.append(Fault(dotted(at), message, line, column))
