"""The command that holds modules to the red lines."""

from __future__ import annotations

import pytest

from scripts.red_lines import main, registered, texts_of
from strategy.auxiliary.modules import MODULES


def test_the_registered_names_are_read_without_importing_them() -> None:
    assert registered() == {
        name: f"{made.__module__.removesuffix('.module')}:{made.__name__}" for name, made in MODULES.items()
    }


def test_all_of_a_modules_own_texts_are_read() -> None:
    texts = texts_of("strategy.auxiliary.modules.ensemble")
    assert next(iter(texts)) == "strategy/auxiliary/modules/ensemble/__init__.py"
    assert "strategy/auxiliary/modules/ensemble/votes.py" in texts
    assert "strategy/auxiliary/modules/proposal.py" in texts
    assert not [path for path in texts if "/indicators/" in path]


def test_a_module_that_keeps_to_the_rules_ends_with_0(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["counter_sentiment", "--days", "1"]) == 0
    assert capsys.readouterr().out.startswith("ok  counter_sentiment: 3 texts read, 48 markets played")


def test_one_that_does_not_ends_with_1_and_says_which_and_where(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["scripts.confluence:main"]) == 1
    said = capsys.readouterr().out
    assert said.startswith("R6  scripts/confluence.py: it imports what reaches beyond its Look")
    assert "scripts/confluence.py line 9: import argparse" in said


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("gird", "MODULE: gird; allowed: confluence, counter_sentiment"),
        ("strategy.no.where:Module", "MODULE: strategy.no.where; no such Python module"),
        ("strategy.auxiliary.modules.crowd:Nope", "strategy/auxiliary/modules/crowd.py has no Nope"),
    ],
)
def test_a_name_that_means_nothing_ends_with_2(
    name: str, says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([name]) == 2
    assert says in capsys.readouterr().err


def test_the_rules_can_be_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--rules"]) == 0
    assert [line[:2] for line in capsys.readouterr().out.splitlines()] == [f"R{n}" for n in range(1, 8)]
