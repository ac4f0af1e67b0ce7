from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from config.loader import describe, fingerprint, load
from config.overlay import LOCKED, Overlay, StaleVersion, read_overlay, write_overlay
from config.schema import Settings
from config.secrets import Secrets
from core.errors import UsageError
from core.facts import Kind
from core.journal import FILE_NAME, SqliteJournal
from monitor.web.answers import Moved
from monitor.words import word
from scripts.daemon import fit_settings
from scripts.options import Mode, RunOptions
from scripts.reconfiguration import Reconfiguration, changes_of
from tests.core.story import StillClock

SHIPPED = Path(__file__).resolve().parents[2] / "config"
COOLDOWN = "strategy.exit.cooldown_hours"


@pytest.fixture
def there(tmp_path: Path) -> Reconfiguration:
    return Reconfiguration(SHIPPED, tmp_path)


def test_a_proposal_says_what_becomes_another_and_changes_nothing(
    there: Reconfiguration, tmp_path: Path
) -> None:
    proposal = there.propose(0, {COOLDOWN: "12", "monitor.language": "en"})
    assert proposal.diff == (Moved(COOLDOWN, "8", "12"),)
    assert proposal.overlay.version == 1
    assert list(tmp_path.iterdir()) == []


def test_what_was_carried_out_is_in_force_and_can_be_taken_back(there: Reconfiguration) -> None:
    there.carry_out(0, {COOLDOWN: "12"})
    assert there.settings().strategy.exit.cooldown_hours == 12
    back = there.carry_out(1, {COOLDOWN: None})
    assert back.diff == (Moved(COOLDOWN, "12", "8"),)
    assert there.settings().strategy.exit.cooldown_hours == 8 and there.version == 2


def test_two_people_cannot_overwrite_each_other(there: Reconfiguration) -> None:
    there.carry_out(0, {COOLDOWN: "12"})
    with pytest.raises(StaleVersion):
        there.carry_out(0, {COOLDOWN: "24"})
    assert there.settings().strategy.exit.cooldown_hours == 12


@pytest.mark.parametrize("changes", [{COOLDOWN: "8"}, {COOLDOWN: "8.0"}, {COOLDOWN: None}])
def test_a_change_that_changes_nothing_is_refused(
    there: Reconfiguration, changes: dict[str, str | None]
) -> None:
    with pytest.raises(UsageError, match="nothing in force"):
        there.propose(0, changes)


def test_a_refused_change_leaves_what_there_was(there: Reconfiguration, tmp_path: Path) -> None:
    write_overlay(tmp_path, Overlay(4, {COOLDOWN: "12"}))
    with pytest.raises(UsageError, match="at most 3"):
        there.carry_out(4, {"account.leverage": "5"})
    assert read_overlay(tmp_path) == Overlay(4, {COOLDOWN: "12"})


Edit = Callable[[str, str], None]


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """The shipped files, to edit."""
    folder = tmp_path / "config"
    folder.mkdir()
    for path in SHIPPED.glob("*.yaml"):
        (folder / path.name).write_text(path.read_text())
    return folder


@pytest.fixture
def edit(config: Path) -> Edit:
    def edit(before: str, after: str) -> None:
        page = config / "strategy.yaml"
        text = page.read_text()
        assert text.count(before) == 1
        page.write_text(text.replace(before, after))

    return edit


HORIZON = "strategy.forecast.horizon_hours"


@pytest.fixture
def running(config: Path, tmp_path: Path) -> Reconfiguration:
    """Of an engine that started with the files as they were shipped."""
    return Reconfiguration(config, tmp_path, load(config))


def test_a_proposal_names_what_was_edited_in_the_files_since_the_start(
    running: Reconfiguration, edit: Edit
) -> None:
    edit("  horizon_hours: 720", "  horizon_hours: 700")
    assert running.form().edited == (Moved(HORIZON, "720", "700", asked=False),)
    diff = running.propose(0, {COOLDOWN: "12"}).diff
    assert set(diff) == {Moved(COOLDOWN, "8", "12"), Moved(HORIZON, "720", "700", asked=False)}


def test_what_a_change_keeps_as_it_is_in_force_is_no_edit_that_comes_along(
    running: Reconfiguration, edit: Edit
) -> None:
    edit("  horizon_hours: 720", "  horizon_hours: 700")
    assert running.propose(0, {HORIZON: "720"}).diff == ()
    assert running.propose(0, {HORIZON: "700"}).diff == (Moved(HORIZON, "720", "700"),)


def test_files_that_would_be_refused_are_told_before_anybody_makes_a_change(
    running: Reconfiguration, edit: Edit
) -> None:
    assert running.form().problem == ""
    edit("  horizon_hours: 720", "  horizon_hours: often")
    form = running.form()
    assert "strategy.yaml" in form.problem and "often" in form.problem and form.edited == ()
    with pytest.raises(UsageError, match="often"):
        running.propose(0, {COOLDOWN: "12"})


def test_what_the_command_line_says_is_no_edit(config: Path, tmp_path: Path) -> None:
    def shape(settings: Settings) -> Settings:
        names = settings.instruments.model_copy(update={"instruments": ("SOL-USDT",)})
        return settings.model_copy(update={"instruments": names})

    there = Reconfiguration(config, tmp_path, shape(load(config)), shape)
    assert there.form().edited == ()
    assert there.propose(0, {COOLDOWN: "12"}).diff == (Moved(COOLDOWN, "8", "12"),)


def test_from_outside_one_sees_whether_the_last_start_was_with_other_files(
    config: Path, tmp_path: Path, edit: Edit
) -> None:
    outside = Reconfiguration(config, tmp_path)
    assert outside.is_as_started()  # nothing ever started
    asyncio.run(boot(tmp_path, load(config)))
    assert outside.is_as_started()
    edit("  horizon_hours: 720", "  horizon_hours: 700")
    assert not outside.is_as_started()


async def boot(folder: Path, settings: Settings) -> None:
    journal = await SqliteJournal.open(folder / FILE_NAME, StillClock())
    journal.append(Kind.BOOT, 0, {"fingerprint": fingerprint(settings)})
    await journal.close()


def test_the_form_has_every_file_with_its_bounds_and_what_is_locked(there: Reconfiguration) -> None:
    form = there.form()
    assert set(form.files) == {"account", "instruments", "strategy", "risk", "monitor"}
    assert form.version == 0 and form.changes == {} and form.locked == LOCKED
    leverage = form.files["account"]["properties"]["leverage"]
    assert leverage["anyOf"][0]["maximum"] == 3 and "never above 3" in leverage["description"]


def test_the_form_says_in_both_languages_what_every_key_means(there: Reconfiguration) -> None:
    told = there.form().meanings
    assert set(describe(there.settings())) < set(told)
    assert word(there.form().applies, "zh").endswith("约需数秒。")
    cooldown = told[COOLDOWN]
    assert "opened again" in cooldown.en and "再次开仓" in cooldown.zh


def test_words_of_the_command_line_are_keys_and_values() -> None:
    assert changes_of(["a.b=1", "c.d=", "e.f=x=y"]) == {"a.b": "1", "c.d": None, "e.f": "x=y"}
    for wrong in ("a.b", "=1"):
        with pytest.raises(UsageError, match="KEY=VALUE"):
            changes_of([wrong])


def test_what_a_start_may_not_have_the_start_after_a_change_may_not_have_either(
    config: Path, tmp_path: Path
) -> None:
    nobody = Secrets(**dict.fromkeys(Secrets.model_fields))
    options = RunOptions(mode=Mode.DEMO, config=config, web=True)
    Reconfiguration(config, tmp_path).carry_out(0, {COOLDOWN: "12"})
    assert fit_settings(options, nobody, tmp_path).strategy.exit.cooldown_hours == 12
    page = config / "monitor.yaml"
    page.write_text(page.read_text().replace('host: "127.0.0.1"', 'host: "0.0.0.0"'))
    with pytest.raises(UsageError, match="WEB_TOKEN"):
        fit_settings(options, nobody, tmp_path)
    with pytest.raises(UsageError, match="dry_run is true"):
        fit_settings(replace(options, mode=Mode.LIVE, web=False), nobody, tmp_path)
