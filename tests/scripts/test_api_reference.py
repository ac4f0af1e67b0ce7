"""The reference page says what the API says."""

from __future__ import annotations

from scripts.api_reference import PAGE, page


def test_the_page_in_docs_is_up_to_date() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run `make docs`"


def test_no_answer_is_left_without_a_shape() -> None:
    told = page()
    assert "| anything" not in told and "of anything" not in told
