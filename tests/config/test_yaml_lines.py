"""YAML read as written: numbers exactly, lines truly, nothing guessed."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from config.yaml_lines import MAX_BYTES, MAX_DIGITS, Form, Scalar, Table, read

DIGITS = st.text(alphabet="0123456789", min_size=1, max_size=MAX_DIGITS // 2)


def table(text: str) -> Table:
    tree, flaws = read(text.encode())
    assert isinstance(tree, Table) and not flaws, flaws
    return tree


def scalar(text: str) -> Scalar:
    value = table(text).values["a"]
    assert isinstance(value, Scalar)
    return value


@given(sign=st.sampled_from(["", "-", "+"]), whole=DIGITS, fraction=DIGITS)
def test_every_written_decimal_is_read_exactly(sign: str, whole: str, fraction: str) -> None:
    text = f"{sign}{whole.lstrip('0') or '0'}.{fraction}"
    assert scalar(f"a: {text}") == Scalar(1, Form.NUMBER, text, Decimal(text))


@given(exponent=st.integers(-20, 20), digits=st.integers(1, 9))
def test_the_advice_for_an_exponent_is_the_same_number(exponent: int, digits: int) -> None:
    written = f"{digits}e{exponent}"
    tree, (flaw,) = read(f"a: {written}".encode())
    advised = flaw.hint.rpartition("write ")[2]
    assert Decimal(advised) == Decimal(written)
    assert scalar(f"a: {advised}").number == Decimal(written)
    assert isinstance(tree, Table) and "a" not in tree.values and tree.key_lines == {"a": 1}


@given(blank=st.integers(0, 5), comment=st.booleans())
def test_lines_are_those_of_the_file(blank: int, comment: bool) -> None:
    text = "\n" * blank + ("# a remark\n" if comment else "") + "a: 1\nb:\n  c: 2\n"
    tree = table(text)
    first = blank + comment + 1
    assert tree.key_lines == {"a": first, "b": first + 1}
    inner = tree.values["b"]
    assert isinstance(inner, Table) and inner.key_lines == {"c": first + 2}


@given(text=st.text(alphabet="abc xyz", min_size=1).map(str.strip).filter(bool))
def test_quoted_and_plain_text_read_the_same(text: str) -> None:
    assert scalar(f"a: '{text}'").text == text
    assert scalar(f"a: '{text}'").form is Form.TEXT


def test_a_quoted_number_stays_text() -> None:
    assert scalar("a: '1e-4'") == Scalar(1, Form.TEXT, "1e-4")


def test_a_byte_order_mark_is_ignored() -> None:
    assert table("\ufeffa: 1").key_lines == {"a": 1}


def test_an_oversized_file_is_not_parsed() -> None:
    tree, (flaw,) = read(b"#" * (MAX_BYTES + 1))
    assert tree is None and str(MAX_BYTES) in flaw.hint


def test_a_list_with_one_unreadable_item_is_left_out_whole() -> None:
    tree, (flaw,) = read(b"a: [1e-4, 2]\nb: [1, 2]")
    assert flaw.key == "a[0]"
    assert isinstance(tree, Table) and list(tree.values) == ["b"]


def test_an_anchor_cannot_multiply() -> None:
    bomb = "a: &a [x, x]\n" + "".join(
        f"{k}: &{k} [*{j}, *{j}]\n" for j, k in zip("abcdefgh", "bcdefghi", strict=True)
    )
    _, flaws = read(bomb.encode())
    assert len(flaws) == 16 and all("alias" in flaw.value for flaw in flaws)
