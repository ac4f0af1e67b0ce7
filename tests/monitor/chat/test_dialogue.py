"""The whole conversation without any service: who is heard, what is shown, and what reaches the engine."""

from __future__ import annotations

from pathlib import Path

import pytest

from monitor.chat.commands import ENTRIES
from monitor.chat.confirmation import PATIENCE_S
from monitor.chat.dialogue import OLDEST_MS, UPDATES_REMEMBERED, Do, Notice, Refuse, Show
from monitor.chat.layout import SCREEN, columns_of
from monitor.words import Language
from tests.monitor.chat.desks import GROUP, NOW_MS, OWNER, STRANGER, FakeDesk, Talk, status_of, wishes

CHANGES = [entry for entry in ENTRIES if entry.verb]
ARGUMENTS = {"why": "ETH", "close": "ETH"}


def line_of(name: str) -> str:
    return f"/{name} {ARGUMENTS.get(name, '')}"


@pytest.fixture
def desk(tmp_path: Path) -> FakeDesk:
    return FakeDesk(tmp_path, status_of())


@pytest.fixture
def talk(desk: FakeDesk) -> Talk:
    return Talk(desk)


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("entry", ENTRIES, ids=lambda e: e.name)
def test_every_command_is_answered_on_a_phones_screen(
    entry: object, language: Language, desk: FakeDesk
) -> None:
    page = Talk(desk, language).page(line_of(entry.name))  # type: ignore[attr-defined]
    assert page.head.strip()
    assert max(map(columns_of, page.lines), default=0) <= SCREEN
    html = page.as_html()
    assert len(html) < 4096 and "Decimal" not in html and "<done>" not in html
    assert all(len(b.data.encode()) <= 64 for row in page.buttons for b in row)


def test_nothing_that_is_only_shown_asks_anything_of_the_engine(talk: Talk) -> None:
    for entry in ENTRIES:
        if not entry.verb:
            assert wishes(talk.write(line_of(entry.name))) == []


@pytest.mark.parametrize("entry", CHANGES, ids=lambda e: e.name)
def test_what_trades_or_changes_the_permission_is_asked_back_first(entry: object, talk: Talk) -> None:
    name = entry.name  # type: ignore[attr-defined]
    page = talk.page(line_of(name))
    [[yes, no]] = page.buttons
    assert (yes.data, no.data) == ("y:t1", "n:t1")
    do, notice = talk.press(yes.data)
    assert isinstance(notice, Notice) and isinstance(do, Do)
    assert (do.wish.verb, do.wish.instrument) == (name, "ETH-USDT" if name == "close" else "")
    assert (do.wish.chat_id, do.wish.user_id) == (OWNER, OWNER)


def test_the_question_shows_exactly_what_would_be_sold_and_bought_back(talk: Talk) -> None:
    assert talk.page("/flatten").lines == ("BTC  0.4 / 40", "ETH   4 / 400")
    assert talk.page("/close eth").lines == ("ETH  4 / 400",)


@pytest.mark.fault("NO3")
@pytest.mark.parametrize(
    ("user", "chat", "users"),
    [
        (STRANGER, STRANGER, ()),  # a private chat that is not listed
        (STRANGER, STRANGER, (STRANGER,)),  # a listed user elsewhere
        (OWNER, GROUP, ()),  # in a group nobody commands unless users are listed
        (STRANGER, GROUP, (OWNER,)),
        (STRANGER, OWNER, (OWNER,)),
    ],
)
def test_a_stranger_is_never_answered_whatever_he_says(
    user: int, chat: int, users: tuple[int, ...], desk: FakeDesk
) -> None:
    talk = Talk(desk, users=users)
    for entry in ENTRIES:
        [effect] = talk.write(line_of(entry.name), user, chat)
        assert isinstance(effect, Refuse)
    [pressed] = talk.press("c:flatten", user, chat)
    assert isinstance(pressed, Refuse)


def test_a_listed_user_may_command_in_a_listed_group(desk: FakeDesk) -> None:
    talk = Talk(desk, users=(OWNER,))
    [show] = talk.write("/halt@EngineBot", OWNER, GROUP)
    assert isinstance(show, Show)
    assert wishes(talk.press("y:t1", OWNER, GROUP)) == [("halt", "")]


def test_only_who_asked_confirms_and_only_in_the_same_chat(desk: FakeDesk) -> None:
    other = 43
    talk = Talk(desk, users=(OWNER, other))
    talk.write("/flatten", OWNER, GROUP)
    for user, chat in ((other, GROUP), (OWNER, OWNER)):
        [notice] = talk.press("y:t1", user, chat)
        assert notice == Notice(notice.query_id, "Only who asked may confirm.")  # type: ignore[union-attr]
    assert wishes(talk.press("y:t1", OWNER, GROUP)) == [("flatten", "")]


def test_a_confirmation_counts_once(talk: Talk) -> None:
    talk.write("/flatten")
    assert wishes(talk.press("y:t1")) == [("flatten", "")]
    [notice] = talk.press("y:t1")
    assert isinstance(notice, Notice) and notice.text == "That question is no longer open."


@pytest.mark.fault("NO3")
def test_an_update_that_comes_again_does_nothing_twice(talk: Talk) -> None:
    assert len(talk.write("/flatten", id_=7)) == 1
    assert talk.write("/flatten", id_=7) == ()
    assert wishes(talk.press("y:t1", id_=8)) == [("flatten", "")]
    assert talk.press("y:t1", id_=8) == ()


def test_what_was_heard_is_remembered_within_a_bound(talk: Talk) -> None:
    for n in range(UPDATES_REMEMBERED + 1):
        talk.write("/help", id_=n)
    assert talk.write("/help", id_=UPDATES_REMEMBERED) == ()
    assert talk.write("/help", id_=0) != ()


def test_a_flood_of_strangers_makes_nobody_forget_what_was_heard(talk: Talk) -> None:
    talk.write("/flatten", id_=1)
    assert wishes(talk.press("y:t1", id_=2)) == [("flatten", "")]
    for n in range(3, UPDATES_REMEMBERED + 10):
        talk.write("/flatten", STRANGER, STRANGER, id_=n)
    assert talk.write("/flatten", id_=1) == ()


def test_a_confirmation_expires(talk: Talk) -> None:
    talk.write("/flatten")
    talk.now_ms += PATIENCE_S * 1000 - 1
    assert wishes(talk.press("y:t1")) == [("flatten", "")]
    talk.write("/flatten")
    talk.now_ms += PATIENCE_S * 1000
    notice, show = talk.press("y:t2")
    assert isinstance(notice, Notice) and isinstance(show, Show)
    assert "nothing was done" in notice.text and show.page.buttons == ()


def test_a_button_of_an_earlier_run_does_nothing(talk: Talk) -> None:
    notice, show = talk.press("y:of-an-earlier-run")
    assert isinstance(notice, Notice) and isinstance(show, Show)
    assert "nothing was done" in notice.text


def test_a_newer_question_closes_the_older_one(talk: Talk) -> None:
    talk.write("/flatten")
    talk.write("/pause")
    assert wishes(talk.press("y:t1")) == []
    assert wishes(talk.press("y:t2")) == [("pause", "")]


def test_a_no_does_nothing_and_closes_the_question(talk: Talk) -> None:
    talk.write("/flatten")
    _, show = talk.press("n:t1")
    assert isinstance(show, Show) and show.page.head == "✖ /flatten: cancelled, nothing was done."
    assert wishes(talk.press("y:t1")) == []


@pytest.mark.parametrize("entry", CHANGES, ids=lambda e: e.name)
def test_a_command_that_waited_while_nobody_listened_must_be_said_again(entry: object, talk: Talk) -> None:
    [show] = talk.write(line_of(entry.name), sent_ms=NOW_MS - OLDEST_MS - 1)  # type: ignore[attr-defined]
    assert isinstance(show, Show)
    assert "3m ago and was not carried out" in show.page.head and show.page.buttons == ()
    [show] = talk.write(line_of(entry.name), sent_ms=NOW_MS - OLDEST_MS)  # type: ignore[attr-defined]
    assert isinstance(show, Show) and show.page.buttons


def test_what_is_only_shown_is_shown_however_old_the_question(talk: Talk) -> None:
    [show] = talk.write("/status", sent_ms=NOW_MS - 100 * OLDEST_MS)
    assert isinstance(show, Show) and "100,212.44" in show.page.as_html()


def test_closing_what_is_not_held_is_answered_without_a_question(talk: Talk) -> None:
    page = talk.page("/close SOL")
    assert page.head == "SOL-USDT is not held. Held: BTC-USDT, ETH-USDT" and page.buttons == ()


def test_with_nothing_held_flatten_says_so_and_still_stops(tmp_path: Path) -> None:
    talk = Talk(FakeDesk(tmp_path, status_of(hedges={})))
    page = talk.page("/flatten")
    assert page.lines == () and "Nothing is held" in page.notes[0]
    assert wishes(talk.press("y:t1")) == [("flatten", "")]


def test_before_the_first_decision_one_can_stop_but_not_look(tmp_path: Path) -> None:
    talk = Talk(FakeDesk(tmp_path, None))
    assert "starting" in talk.page("/status").head
    assert "as soon as it is up" in talk.page("/flatten").notes[0]
    assert wishes(talk.press("y:t1")) == [("flatten", "")]


def test_a_button_under_a_page_turns_it_in_place(talk: Talk) -> None:
    notice, show = talk.press("c:hedges")
    assert isinstance(notice, Notice) and isinstance(show, Show)
    assert show.message_id == 77 and "hedges" in show.page.head
    _, question = talk.press("c:close ETH-USDT")
    assert isinstance(question, Show)
    assert question.message_id is None and question.page.buttons


def test_books_that_cannot_be_read_are_said_and_commands_still_work(desk: FakeDesk, talk: Talk) -> None:
    desk.passbook._journal.write_bytes(b"no database at all, but long enough to be looked at" * 40)
    assert "cannot be read" in talk.page("/pnl").head
    assert "RUNNING" in talk.page("/status").head
    talk.write("/halt")
    assert wishes(talk.press("y:t1")) == [("halt", "")]


def test_plain_talk_and_other_bots_commands_are_not_answered(talk: Talk) -> None:
    assert talk.write("how are you?") == ()
    assert talk.write("/halt@OtherBot") == ()


def test_nonsense_in_a_button_does_nothing(talk: Talk) -> None:
    for data in ("", "c:", "c:buy BTC", "x:1", "y:", "n:"):
        assert wishes(talk.press(data)) == []
