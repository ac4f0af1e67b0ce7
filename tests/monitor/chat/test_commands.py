import pytest

from monitor.chat.commands import ENTRIES, Command, Mistake, parse
from scripts.commands import Verb

KNOWN = ("BTC-USDT", "ETH-USDT")


@pytest.mark.parametrize(
    ("text", "name", "argument"),
    [
        ("/status", "status", ""),
        ("  /STATUS  ", "status", ""),
        ("/status@EngineBot", "status", ""),
        ("/status@enginebot now please", "status", ""),
        ("/start", "help", ""),
        ("/pnl", "pnl", ""),
        ("/pnl Week", "pnl", "week"),
        ("/pnl all", "pnl", ""),
        ("/pnl 月", "pnl", "month"),
        ("/why btc", "why", "BTC-USDT"),
        ("/why BTC/USDT", "why", "BTC-USDT"),
        ("/why btcusdt", "why", "BTC-USDT"),
        ("/close ETH-USDT-SWAP", "close", "ETH-USDT"),
        ("/logs", "logs", ""),
        ("/logs 30", "logs", "30"),
    ],
)
def test_a_line_that_is_a_command_is_understood(text: str, name: str, argument: str) -> None:
    said = parse(text, "EngineBot", KNOWN)
    assert isinstance(said, Command)
    assert (said.entry.name, said.argument) == (name, argument)


@pytest.mark.parametrize("text", ["", "halt", "please /halt", "/halt@OtherBot", "//", "/", "/halt;rm"])
def test_what_is_not_for_this_bot_is_not_heard(text: str) -> None:
    assert parse(text, "EngineBot", KNOWN) is None


@pytest.mark.parametrize(
    ("text", "topic", "told"),
    [
        ("/buy", "chat.unknown_command", {"command": "/buy"}),
        ("/pnl year", "chat.bad_argument", {"allowed": ("day", "week", "month", "all")}),
        ("/why", "chat.bad_argument", {"value": "–", "allowed": KNOWN}),
        ("/close DOGE", "chat.bad_argument", {"value": "DOGE", "allowed": KNOWN}),
        ("/logs 0", "chat.bad_argument", {"value": "0", "allowed": ("1 - 30",)}),
        ("/logs 99999999999999999999", "chat.bad_argument", {"allowed": ("1 - 30",)}),
    ],
)
def test_a_mistake_names_the_value_and_what_is_allowed(
    text: str, topic: str, told: dict[str, object]
) -> None:
    said = parse(text, "EngineBot", KNOWN)
    assert isinstance(said, Mistake)
    assert said.topic == topic
    assert told.items() <= said.fields.items()


def test_every_verb_is_one_the_engine_knows_and_no_ownership_is_settled_by_chat() -> None:
    verbs = {entry.verb for entry in ENTRIES if entry.verb}
    assert verbs == {v.value for v in Verb} - {"adopt", "refuse", "configure"}


def test_the_menu_is_what_the_service_takes_in_both_languages() -> None:
    for entry in ENTRIES:
        assert entry.name.islower() and entry.name.isalpha() and len(entry.name) <= 32
        for language in ("en", "zh"):
            assert 3 <= len(entry.describe(language).encode()) <= 256
        assert any("\u4e00" <= sign <= "\u9fff" for sign in entry.describe("zh"))
