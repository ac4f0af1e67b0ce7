"""What a field accepts, in words and as a value: read from the models, written down nowhere else."""

from __future__ import annotations

import re
from decimal import Decimal
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic.fields import FieldInfo

from config.section import Section
from config.yaml_lines import Form, Items, Node, Scalar

_BOUNDS = (("gt", "above"), ("ge", "at least"), ("lt", "below"), ("le", "at most"))
_IN_CHINESE = {"above": "大于", "at least": "不小于", "below": "小于", "at most": "不大于"}


class Unfit(Exception):
    """A value of the wrong kind. `node` is the one written, the message says what is allowed."""

    def __init__(self, node: Node, rule: str) -> None:
        super().__init__(rule)
        self.node = node


def plain_type(annotation: Any) -> tuple[Any, bool]:
    """Return the annotation without `| None`, and whether nothing (null) is accepted too."""
    if get_origin(annotation) in (Union, UnionType):
        others = [arg for arg in get_args(annotation) if arg is not NoneType]
        return others[0], len(others) < len(get_args(annotation))
    return annotation, False


def element(annotation: Any) -> FieldInfo:
    """Return the field of a tuple's elements."""
    return FieldInfo.from_annotation(get_args(annotation)[0])


def section_of(field: FieldInfo) -> type[Section] | None:
    """Return the section a field holds, None when it holds a value."""
    annotation = field.annotation
    return annotation if isinstance(annotation, type) and issubclass(annotation, Section) else None


def allowed(field: FieldInfo) -> str:
    """Say what may be written for `field`: kind and bounds, from the model itself."""
    kind, optional = plain_type(field.annotation)
    return _kind(kind, field) + (", or nothing (null)" if optional else "")


def allowed_in_chinese(field: FieldInfo) -> str:
    """As `allowed`, for who reads Chinese."""
    kind, optional = plain_type(field.annotation)
    return _kind_in_chinese(kind, field) + ("，或留空（null）" if optional else "")


def shown(value: object) -> str:
    """Write a value as it would stand in a YAML file."""
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case Decimal():
            return format(value, "f")
        case tuple():
            return f"[{', '.join(shown(item) for item in value)}]"
    return str(value)


def typed(field: FieldInfo, node: Node) -> Any:
    """Give a written value its field's type, without converting one kind into another.

    Raises Unfit. Bounds, and whether nothing will do, are not looked at here.
    """
    kind, _ = plain_type(field.annotation)
    if get_origin(kind) is Annotated:  # a constrained type inside `| None`
        kind = get_args(kind)[0]
    if isinstance(node, Scalar):
        if node.form is Form.NULL:
            return None
        if kind is bool and node.form is Form.BOOL:
            return node.is_true
        if kind is Decimal and node.number is not None:
            return node.number
        if kind is int and node.number is not None and "." not in node.text:
            return int(node.number)
        if _is_text(kind) and node.form is Form.TEXT:
            return node.text
        raise Unfit(node, allowed(field) + _quote_hint(kind, node))
    if isinstance(node, Items) and get_origin(kind) is tuple:
        return tuple(typed(element(kind), item) for item in node.values)
    raise Unfit(node, allowed(field))


def _is_text(kind: Any) -> bool:
    return kind is str or get_origin(kind) is Literal


def _quote_hint(kind: Any, node: Scalar) -> str:
    if _is_text(kind) and node.form is not Form.NULL:
        return f"; as text it needs quotes: '{node.text}'"
    if kind in (int, Decimal) and node.form is Form.TEXT and re.fullmatch(r"[-+0-9._]+", node.text):
        return "; without quotes"
    return ""


def _kind(kind: Any, field: FieldInfo) -> str:
    if get_origin(kind) is Annotated:
        return allowed(FieldInfo.from_annotation(kind))
    if get_origin(kind) is Literal:
        return f"one of {', '.join(get_args(kind))}"
    if get_origin(kind) is tuple:
        length = _length(field)
        many = f" of {length[0]} to {length[1]} entries" if length else ""
        return f"a list{many}, each {allowed(element(kind))}"
    if kind is bool:
        return "true or false"
    if kind is int:
        return f"a whole number{_bounds(field)}"
    if kind is Decimal:
        return f"a number{_bounds(field)}"
    pattern = _pattern(field)
    return f"text matching {pattern}" if pattern else "text"


def _kind_in_chinese(kind: Any, field: FieldInfo) -> str:
    if get_origin(kind) is Annotated:
        return allowed_in_chinese(FieldInfo.from_annotation(kind))
    if get_origin(kind) is Literal:
        return f"{'、'.join(get_args(kind))} 之一"
    if get_origin(kind) is tuple:
        length = _length(field)
        many = f"，{length[0]} 至 {length[1]} 项" if length else ""
        return f"列表{many}，每项是{allowed_in_chinese(element(kind))}"
    if kind is bool:
        return "true 或 false"
    if kind in (int, Decimal):
        bounds = "".join(f"，{_IN_CHINESE[word]} {bound}" for word, bound in _bounds_of(field))
        return f"{'整数' if kind is int else '数'}{bounds}"
    pattern = _pattern(field)
    return f"格式为 {pattern} 的文本" if pattern else "文本"


def _pattern(field: FieldInfo) -> str | None:
    return next((m.pattern for m in field.metadata if getattr(m, "pattern", None)), None)


def _bounds(field: FieldInfo) -> str:
    found = [f"{word} {bound}" for word, bound in _bounds_of(field)]
    return f" {' and '.join(found)}" if found else ""


def _bounds_of(field: FieldInfo) -> list[tuple[str, str]]:
    return [
        (word, shown(getattr(meta, name)))
        for name, word in _BOUNDS
        for meta in field.metadata
        if getattr(meta, name, None) is not None
    ]


def _length(field: FieldInfo) -> tuple[int, int] | None:
    least = next((m.min_length for m in field.metadata if hasattr(m, "min_length")), None)
    most = next((m.max_length for m in field.metadata if hasattr(m, "max_length")), None)
    return None if least is None or most is None else (least, most)
