"""Asking back: a wish counts only when the same person confirms it in the same chat, once, in time. Pure."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

PATIENCE_S: Final = 60
REMEMBERED: Final = 50


@dataclass(frozen=True, slots=True)
class Wish:
    """What was asked of the engine, by whom and where. `command` is how it was said."""

    verb: str
    instrument: str
    command: str
    chat_id: int
    user_id: int


@dataclass(slots=True)
class _Pending:
    wish: Wish
    until_ms: int
    answered: bool = False


class Confirmations:
    """Wishes that wait for a yes. They live in memory only: after a restart none can be confirmed.

    new_token  makes what a button carries; nobody can guess it.
    """

    def __init__(self, new_token: Callable[[], str]) -> None:
        self._new_token = new_token
        self._pending: OrderedDict[str, _Pending] = OrderedDict()

    def ask(self, wish: Wish, now_ms: int) -> str:
        """Remember a wish and return its token. A newer wish of the same person makes older ones void."""
        for pending in self._pending.values():
            if (pending.wish.chat_id, pending.wish.user_id) == (wish.chat_id, wish.user_id):
                pending.answered = True
        token = self._new_token()
        self._pending[token] = _Pending(wish, now_ms + PATIENCE_S * 1000)
        while len(self._pending) > REMEMBERED:
            self._pending.popitem(last=False)
        return token

    def take(self, token: str, chat_id: int, user_id: int, now_ms: int) -> Wish | str:
        """The wish, which cannot be taken again; else the topic that says why not."""
        pending = self._pending.get(token)
        if pending is None:
            return "chat.expired"
        if (pending.wish.chat_id, pending.wish.user_id) != (chat_id, user_id):
            return "chat.not_yours"
        if pending.answered:
            return "chat.used"
        pending.answered = True
        return pending.wish if now_ms < pending.until_ms else "chat.expired"
