"""The bundle as a browser asks for it, and what else of the disk can be reached: nothing."""

from __future__ import annotations

import gzip
import re
from pathlib import Path
from typing import Any

import httpx
import pytest

from monitor.web.door import HARDENING, Door, Refusal, Rules
from monitor.web.pages import BUNDLE, FILES, ROUTES, Pages

ROUTE_LIST = BUNDLE.parents[1] / "dashboard" / "src" / "state" / "route.ts"
MOST_COMPRESSED = 300_000


async def api(scope: Any, receive: Any, send: Any) -> None:
    """What stands behind the pages: it answers everything that comes through."""
    await send({"type": "http.response.start", "status": 404, "headers": []})
    await send({"type": "http.response.body", "body": f"{scope['method']} {scope['path']}".encode()})


def silent(address: str, method: str, path: str, why: Refusal) -> None:
    """The tests look at the answers."""


def behind_the_door(token: str | None = "a token") -> Door:
    return Door(Pages(api), Rules(frozenset({"127.0.0.1"}), token), lambda: 1.0, silent)


async def ask(path: str, method: str = "GET", app: Any = None, **headers: str) -> httpx.Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    transport = httpx.ASGITransport(app or behind_the_door())
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8788") as client:
        return await client.request(method, path, headers={"accept-encoding": "identity", **named})


@pytest.mark.parametrize("route", ROUTES)
async def test_every_page_of_the_dashboard_is_the_one_file_and_needs_no_token(route: str) -> None:
    answer = await ask(route)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.content == (BUNDLE / "index.html").read_bytes()


@pytest.mark.parametrize("name", FILES)
async def test_a_file_of_the_bundle_comes_whole_and_of_its_own_kind(name: str) -> None:
    answer = await ask(f"/{name}")
    assert answer.content == (BUNDLE / name).read_bytes()
    assert answer.headers["content-type"] == FILES[name]
    assert int(answer.headers["content-length"]) == len(answer.content)
    for header, value in HARDENING:
        assert answer.headers[header.decode()] == value.decode()


@pytest.mark.parametrize("accepted", ["gzip", "br, GZIP;q=0.5", "*", "deflate, gzip ; q=1.0"])
async def test_who_takes_gzip_gets_it(accepted: str) -> None:
    answer = await ask("/app.js", accept_encoding=accepted)
    assert answer.headers["content-encoding"] == "gzip"
    assert int(answer.headers["content-length"]) < len(answer.content) / 2
    assert answer.content == (BUNDLE / "app.js").read_bytes()


@pytest.mark.parametrize("accepted", ["identity", "br", "gzip;q=0", "gzip; q=0.0", ""])
async def test_who_does_not_take_gzip_gets_it_plain(accepted: str) -> None:
    answer = await ask("/app.js", accept_encoding=accepted)
    assert "content-encoding" not in answer.headers
    assert answer.headers["vary"] == "accept-encoding"


async def test_who_has_the_file_already_is_told_so_and_gets_nothing() -> None:
    first = await ask("/app.css")
    tag = first.headers["etag"]
    for told in (tag, tag.removeprefix("W/"), f'"other", {tag}', "*"):
        again = await ask("/app.css", if_none_match=told)
        assert (again.status_code, again.content) == (304, b"")
        assert again.headers["etag"] == tag
    assert (await ask("/app.css", if_none_match='W/"other"')).status_code == 200


async def test_another_bundle_is_another_tag(tmp_path: Path) -> None:
    tags = set()
    for content in (b"old", b"new"):
        for name in FILES:
            (tmp_path / name).write_bytes(content)
        answer = await ask("/app.js", app=Pages(api, tmp_path))
        assert answer.headers["cache-control"] == "no-cache"
        tags.add(answer.headers["etag"])
    assert len(tags) == 2


async def test_a_question_about_the_file_alone_is_answered_without_it() -> None:
    head, whole = await ask("/", "HEAD"), await ask("/")
    assert head.content == b""
    assert head.headers["content-length"] == whole.headers["content-length"]


@pytest.mark.parametrize(
    "path",
    [
        "/built-from.txt",
        "/index.html/",
        "/static/app.js",
        "/app.js.map",
        "/pages.py",
        "/app.js/",
        "/Earnings",
        "/x",
    ],
)
async def test_what_is_not_in_the_list_goes_on_to_the_api(path: str) -> None:
    answer = await ask(path, app=Pages(api))
    assert (answer.status_code, answer.text) == (404, f"GET {path}")


@pytest.mark.parametrize(
    "path", ["/../door.py", "/%2e%2e/door.py", "/..%2f..%2fpyproject.toml", "/%5c..%5cx"]
)
async def test_no_trick_with_the_path_leaves_the_bundle(path: str) -> None:
    answer = await ask(path)
    assert answer.status_code in (400, 404)
    assert "import" not in answer.text


async def test_a_page_is_only_read() -> None:
    answer = await ask("/", "POST", app=Pages(api))
    assert answer.text == "POST /"


async def test_data_still_needs_the_token() -> None:
    assert (await ask("/api/status")).status_code == 401


def test_a_bundle_with_a_missing_file_is_told_at_the_start(tmp_path: Path) -> None:
    with pytest.raises(OSError, match=r"index\.html"):
        Pages(api, tmp_path)


def test_the_server_knows_every_page_that_the_dashboard_knows() -> None:
    assert tuple(re.findall(r'\{ path: "([^"]+)"', ROUTE_LIST.read_text(encoding="utf-8"))) == ROUTES


def test_the_whole_page_is_small_enough_for_a_phone() -> None:
    packed = {name: len(gzip.compress((BUNDLE / name).read_bytes(), 9)) for name in FILES}
    assert sum(packed.values()) < MOST_COMPRESSED / 2, packed


def test_the_page_loads_nothing_from_elsewhere_and_holds_no_script_of_its_own() -> None:
    page = (BUNDLE / "index.html").read_text(encoding="utf-8")
    loaded = re.findall(r'<(?:script|link)[^>]*?(?:src|href)="([^"]+)"', page)
    assert {one for one in loaded if not one.startswith("data:image/svg+xml")} == {"/app.js", "/app.css"}
    assert not re.findall(r"<script(?![^>]*src=)|\son\w+=|<style", page)
    style = (BUNDLE / "app.css").read_text(encoding="utf-8")
    assert not re.findall(r"@import|url\((?!['\"]?data:)", style)
