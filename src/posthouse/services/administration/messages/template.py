"""Texts with variables, as administrators write them: read, checked, and filled in.

The language is a small part of Jinja: ``{{ name }}``, ``{% if %}``, ``{% for %}`` over a list that the message has, and
a few filters. Nothing can be called, reckoned or defined, and loops do not nest, so that whoever administers one domain
can neither reach anything of the server nor keep it busy. What a text may not say is refused when it is set, with the
line; what comes out is bounded all the same. Tests: ``tests/unit/services/administration/messages/test_template.py``,
fuzz target ``wording``.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping
from typing import Any, Final

from jinja2 import StrictUndefined, TemplateError, TemplateSyntaxError, nodes
from jinja2.sandbox import ImmutableSandboxedEnvironment

from posthouse.services.administration import words
from posthouse.services.administration.faults import Refused
from posthouse.services.administration.messages.definitions import ServerMessage, Values

SUBJECT_LONGEST: Final = 300  # characters, before variables are filled in
TEXT_LONGEST: Final = 20_000
SUBJECT_FILLED: Final = 900  # characters; what passes it is cut
TEXT_FILLED: Final = 200_000
FILTERS: Final = frozenset({"capitalize", "length", "lower", "title", "trim", "upper"})
LOOP_FIELDS: Final = frozenset({"first", "index", "last", "length"})
_PLAIN: Final = (
    nodes.And, nodes.Compare, nodes.CondExpr, nodes.Const, nodes.If, nodes.Not, nodes.Operand, nodes.Or, nodes.Output,
    nodes.Template, nodes.TemplateData,
)  # fmt: skip
_REMEDY: Final = "`posthouse wording show` lists what this message may say."


class TooLong(Exception):  # noqa: N818  (no error of ours: what was filled in passed its bound)
    """What came out is longer than a message should be."""


# What filling in may raise; the last three where blocks go deeper than Python's own compiler reads.
UNFILLABLE: Final = (TemplateError, TooLong, TypeError, ValueError, RecursionError, SyntaxError, MemoryError)


def check(message: ServerMessage, subject: str, text: str) -> None:
    """Read both, and fill them in with samples. Raises Refused: naming the field, the line, and what is wrong there."""
    words.line(subject, SUBJECT_LONGEST, "subject")
    if not subject.strip():
        raise Refused("subject: a message needs a subject", "Give one line of text.", field="subject")
    if len(text) > TEXT_LONGEST:
        raise Refused(f"text: it has {len(text)} characters", f"Use at most {TEXT_LONGEST}.", field="text")
    lists = {each.name: _fields(each.sample) for each in message.all_variables if _fields(each.sample) is not None}
    for field, source in (("subject", subject), ("text", text)):
        try:
            tree = _environment().parse(source)
        except TemplateSyntaxError as fault:
            reason = f"{fault.message}"[:200]
            raise Refused(f"{field}, line {fault.lineno}: {reason}", "Check the braces.", field=field) from None
        except RecursionError:
            raise Refused(f"{field}: its brackets go too deep", _REMEDY, field=field) from None
        _Reading(field, frozenset(message.samples), lists).read(tree)
    try:
        fill(subject, text, message.samples)
    except UNFILLABLE:
        raise Refused("text: it cannot be filled in", _REMEDY, field="text") from None


def fill(subject: str, text: str, values: Values) -> tuple[str, str]:
    """Return both with their variables filled in; the subject as one line of bounded length.

    Raises those of ``UNFILLABLE``: where a text was not checked against these variables.
    """
    head = " ".join(_fill(subject, values, SUBJECT_FILLED * 4).split())
    return head[:SUBJECT_FILLED], _fill(text, values, TEXT_FILLED)


def _fill(source: str, values: Values, most: int) -> str:
    found, length = [], 0
    for piece in _compiled(source).generate(**values):
        length += len(piece)
        if length > most:
            raise TooLong
        found.append(piece)
    return "".join(found)


@functools.lru_cache(maxsize=1)
def _environment() -> ImmutableSandboxedEnvironment:
    made = ImmutableSandboxedEnvironment(
        undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True, cache_size=0
    )
    made.globals.clear()
    return made


@functools.lru_cache(maxsize=256)
def _compiled(source: str) -> Any:
    return _environment().from_string(source)


def _fields(sample: Any) -> frozenset[str] | None:
    """Return the fields of the rows of a list; None for what is no list."""
    if isinstance(sample, str | int):
        return None
    return frozenset(name for row in sample for name in row)


class _Reading:
    """Goes through a text's tree, and refuses what is not of the small language."""

    def __init__(self, field: str, names: frozenset[str], lists: Mapping[str, frozenset[str] | None]) -> None:
        self._field = field
        self._names = names
        self._lists = lists

    def read(self, node: nodes.Node, rows: Mapping[str, frozenset[str]] | None = None) -> None:
        """Check a node with all below it; ``rows`` are the names of the loop it is in. Raises Refused."""
        if isinstance(node, nodes.For):
            self._loop(node, rows)
        elif isinstance(node, nodes.Name):
            self._name(node, rows)
        elif isinstance(node, nodes.Getattr):
            self._attribute(node, rows)
        elif isinstance(node, nodes.Filter):
            self._filter(node, rows)
        elif isinstance(node, _PLAIN):
            self._each(node.iter_child_nodes(), rows)
        else:
            self._refuse(node, f"{type(node).__name__.lower()} cannot be used here")

    def _each(self, found: Iterable[nodes.Node], rows: Mapping[str, frozenset[str]] | None) -> None:
        for each in found:
            self.read(each, rows)

    def _loop(self, node: nodes.For, rows: Mapping[str, frozenset[str]] | None) -> None:
        if rows is not None:
            self._refuse(node, "a loop cannot be inside another")
        if node.recursive or node.test is not None or node.else_:
            self._refuse(node, "a loop has neither a condition nor an else")
        source = node.iter.name if isinstance(node.iter, nodes.Name) else ""
        target = node.target.name if isinstance(node.target, nodes.Name) else ""
        if self._lists.get(source) is None:
            known = ", ".join(sorted(self._lists)) or "none"
            self._refuse(node, f"a loop goes through a list; those of this message: {known}")
        if not target or target in self._names:
            self._refuse(node, "a loop takes one new name")
        self._each(node.body, {target: self._lists[source] or frozenset(), "loop": LOOP_FIELDS})

    def _name(self, node: nodes.Name, rows: Mapping[str, frozenset[str]] | None) -> None:
        if node.name in self._lists or (rows is not None and node.name in rows):
            self._refuse(node, f"{node.name} is no single value")
        if node.name not in self._names:
            self._refuse(node, f"there is no variable {words.shown(node.name)}")

    def _attribute(self, node: nodes.Getattr, rows: Mapping[str, frozenset[str]] | None) -> None:
        whose = node.node.name if isinstance(node.node, nodes.Name) else ""
        if rows is None or whose not in rows or node.attr not in rows[whose]:
            self._refuse(node, f"there is no field {words.shown(node.attr)}")

    def _filter(self, node: nodes.Filter, rows: Mapping[str, frozenset[str]] | None) -> None:
        if node.name not in FILTERS or node.args or node.kwargs or node.dyn_args or node.dyn_kwargs:
            self._refuse(
                node, f"the filter {words.shown(node.name)} cannot be used; there are: {', '.join(sorted(FILTERS))}"
            )
        if node.node is not None:
            self.read(node.node, rows)

    def _refuse(self, node: nodes.Node, what: str) -> None:
        raise Refused(f"{self._field}, line {node.lineno}: {what}", _REMEDY, field=self._field)
