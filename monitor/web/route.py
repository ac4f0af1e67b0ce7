"""How an endpoint's answer becomes JSON: as the journal writes it, so that an amount reads alike everywhere.

The library's own way would write 2.38E-9 where the journal and the stream say 0.00000000238.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from inspect import iscoroutinefunction
from typing import Any

from fastapi.responses import Response
from fastapi.routing import APIRoute


def plain_route(answer: type[Response]) -> type[APIRoute]:
    """The class of routes whose endpoints are plain functions that return domain objects, or JSON as bytes.

    answer  makes a response of either, or of what `plain` makes of one.

    The description still comes from the endpoint's return type; what is a Response already stays one.
    """

    class PlainRoute(APIRoute):
        def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
            status = options.get("status_code") or 200

            @wraps(endpoint)
            def answering(*args: Any, **kwargs: Any) -> Any:
                told = endpoint(*args, **kwargs)
                return told if isinstance(told, Response) else answer(told, status)

            # What answers in the loop itself makes its own Response.
            super().__init__(path, endpoint if iscoroutinefunction(endpoint) else answering, **options)

    return PlainRoute
