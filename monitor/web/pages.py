"""The dashboard's bundle, served from memory: what is not one of its addresses goes on to the API.

The files are known by name when the daemon starts, so no address can reach any other; each is compressed
once. The page itself needs no token: it asks for it, and every question it puts shows it (door.py).
"""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from monitor.web.door import App, Receive, Scope, Send

BUNDLE: Final = Path(__file__).parent / "static"
INDEX: Final = "index.html"
FILES: Final[Mapping[str, str]] = {
    INDEX: "text/html; charset=utf-8",
    "app.js": "text/javascript; charset=utf-8",
    "app.css": "text/css; charset=utf-8",
}
# The page finds its way by itself: each of these is the same file. src/state/route.ts has the same list.
ROUTES: Final = (
    "/",
    "/earnings",
    "/candidates",
    "/decisions",
    "/risk",
    "/journal",
    "/configuration",
    "/logs",
)


@dataclass(frozen=True, slots=True)
class Asset:
    """One file as it leaves. `etag` is of its content, so that a browser asks and is told "the same"."""

    kind: str
    plain: bytes
    packed: bytes
    etag: str


class Pages:
    """An ASGI application in front of `app`. Raises OSError when a file of the bundle is missing."""

    def __init__(self, app: App, folder: Path = BUNDLE) -> None:
        self._app = app
        assets = {name: _asset((folder / name).read_bytes(), kind) for name, kind in FILES.items()}
        self._assets: Mapping[str, Asset] = {
            **{route: assets[INDEX] for route in ROUTES},
            **{f"/{name}": asset for name, asset in assets.items()},
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        asset = self._assets.get(scope["path"]) if scope["type"] == "http" else None
        if asset is None or scope["method"] not in ("GET", "HEAD"):
            await self._app(scope, receive, send)
            return
        asked = {name.lower(): value.decode("latin-1") for name, value in scope["headers"]}
        packed = _takes_gzip(asked.get(b"accept-encoding", ""))
        headers = [
            (b"etag", asset.etag.encode()),
            # Kept, and asked after each time: a new version of the engine is a new page at once.
            (b"cache-control", b"no-cache"),
            (b"vary", b"accept-encoding"),
        ]
        if _is_known(asked.get(b"if-none-match", ""), asset.etag):
            await send({"type": "http.response.start", "status": 304, "headers": headers})
            await send({"type": "http.response.body", "body": b""})
            return
        body = asset.packed if packed else asset.plain
        headers += [(b"content-type", asset.kind.encode()), (b"content-length", str(len(body)).encode())]
        if packed:
            headers.append((b"content-encoding", b"gzip"))
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})


def _asset(content: bytes, kind: str) -> Asset:
    digest = hashlib.sha256(content).hexdigest()[:32]
    return Asset(kind, content, gzip.compress(content, 9, mtime=0), f'W/"{digest}"')


def _takes_gzip(accepted: str) -> bool:
    """Whether an Accept-Encoding header takes gzip: named, and not with a weight of nothing."""
    for part in accepted.lower().split(","):
        coding, _, weight = part.strip().partition(";")
        if coding.strip() in ("gzip", "*"):
            return weight.replace(" ", "") not in ("q=0", "q=0.0", "q=0.00", "q=0.000")
    return False


def _is_known(told: str, etag: str) -> bool:
    """Whether an If-None-Match header names this content; weak and strong names are the same here."""
    bare = etag.removeprefix("W/")
    return any(one.strip().removeprefix("W/") in (bare, "*") for one in told.split(","))
