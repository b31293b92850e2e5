"""LDAP messages to octets and back: the tables of RFC 4511 App. B as code.

``format_message`` and ``parse_message`` are inverse for every message that can be made of ``types``, in both
directions of a connection. A filter may be nested ``FILTER_DEPTH`` deep.
Tests: ``tests/unit/protocols/ldap/test_ldap_messages.py``, ``tests/property/test_ldap_properties.py``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from posthouse.core.errors import SyntaxFault
from posthouse.protocols.ldap import ber
from posthouse.protocols.ldap.ber import Reader
from posthouse.protocols.ldap.types import (
    AbandonRequest,
    And,
    BindRequest,
    BindResponse,
    Compare,
    Comparison,
    Control,
    ExtendedRequest,
    ExtendedResponse,
    Extensible,
    Filter,
    IntermediateResponse,
    Message,
    Not,
    Or,
    OtherRequest,
    OtherResponse,
    Present,
    Request,
    Response,
    Result,
    Sasl,
    Scope,
    SearchDone,
    SearchEntry,
    SearchReference,
    SearchRequest,
    Simple,
    Substrings,
    UnbindRequest,
)

FILTER_DEPTH: Final = 32
BIND, BIND_DONE, UNBIND = 0x60, 0x61, 0x42
SEARCH, SEARCH_ENTRY, SEARCH_DONE, SEARCH_REFERENCE = 0x63, 0x64, 0x65, 0x73
ABANDON, EXTENDED, EXTENDED_DONE, INTERMEDIATE = 0x50, 0x77, 0x78, 0x79
OTHERS: Final = {0x66: 0x67, 0x68: 0x69, 0x4A: 0x6B, 0x6C: 0x6D, 0x6E: 0x6F}  # modify, add, delete, rename, compare
CONTROLS: Final = 0xA0
_COMPARISONS: Final = {
    0xA3: Comparison.EQUAL,
    0xA5: Comparison.GREATER_OR_EQUAL,
    0xA6: Comparison.LESS_OR_EQUAL,
    0xA8: Comparison.APPROXIMATE,
}
_COMPARISON_TAGS: Final = {comparison: tag for tag, comparison in _COMPARISONS.items()}


# ---- octets to values -----------------------------------------------------------------------------------------------


def parse_message(data: bytes) -> Message:
    """Return the message that these octets are, all of them. Raises SyntaxFault: at the octet that does not fit."""
    outer = Reader(data)
    reader = outer.element(ber.SEQUENCE)
    outer.end()
    number = reader.integer()
    parse = _PARSERS.get(reader.tag)
    if parse is not None:
        operation = parse(reader)
    elif reader.tag in OTHERS:
        tag = reader.tag
        reader.element()
        operation = OtherRequest(tag, OTHERS[tag])
    elif reader.tag in OTHERS.values():
        tag = reader.tag
        operation = OtherResponse(tag, _result(reader.element()))
    else:
        raise reader.fault("an operation that is not known")
    controls = _controls(reader.element(CONTROLS)) if reader.tag == CONTROLS else ()
    return Message(number, operation, controls)


def _controls(reader: Reader) -> tuple[Control, ...]:
    found = []
    while not reader.is_done:
        inner = reader.element(ber.SEQUENCE)
        oid = inner.string()
        is_critical = inner.boolean() if inner.tag == ber.BOOLEAN else False
        value = inner.octets() if inner.tag == ber.OCTET_STRING else None
        inner.end()
        found.append(Control(oid, is_critical, value))
    return tuple(found)


def _bind(reader: Reader) -> BindRequest:
    inner = reader.element(BIND)
    version, name = inner.integer(), inner.string()
    if inner.tag == 0x80:
        return BindRequest(name, Simple(inner.octets(0x80)), version)
    sasl = inner.element(0xA3)
    mechanism = sasl.string()
    return BindRequest(name, Sasl(mechanism, None if sasl.is_done else sasl.octets()), version)


def _unbind(reader: Reader) -> UnbindRequest:
    reader.element(UNBIND)
    return UnbindRequest()


def _abandon(reader: Reader) -> AbandonRequest:
    return AbandonRequest(reader.integer(ABANDON))


def _search(reader: Reader) -> SearchRequest:
    inner = reader.element(SEARCH)
    base, scope, dereference = inner.string(), inner.integer(ber.ENUMERATED), inner.integer(ber.ENUMERATED)
    if scope > 2 or dereference > 3:
        raise inner.fault("a scope or dereferencing that does not exist")
    size_limit, time_limit, types_only = inner.integer(), inner.integer(), inner.boolean()
    wanted = _filter(inner, 0)
    names = inner.element(ber.SEQUENCE)
    return SearchRequest(
        base=base,
        filter=wanted,
        scope=Scope(scope),
        dereference=dereference,
        size_limit=size_limit,
        time_limit=time_limit,
        types_only=types_only,
        attributes=_strings(names),
    )


def _strings(reader: Reader) -> tuple[str, ...]:
    found = []
    while not reader.is_done:
        found.append(reader.string())
    return tuple(found)


def _filter(reader: Reader, depth: int) -> Filter:
    if depth >= FILTER_DEPTH:
        raise SyntaxFault(f"a filter nested more than {FILTER_DEPTH} deep", where="ldap.filter")
    tag = reader.tag
    if tag == 0x87:
        return Present(reader.string(0x87))
    if tag in _COMPARISONS:
        inner = reader.element()
        return Compare(inner.string(), _COMPARISONS[tag], inner.octets())
    if tag == 0xA4:
        return _substrings(reader.element())
    if tag == 0xA9:
        return _extensible(reader.element())
    if tag == 0xA2:
        return Not(_filter(reader.element(), depth + 1))
    if tag not in {0xA0, 0xA1}:
        raise reader.fault("a filter that is not known")
    inner, parts = reader.element(), []
    while not inner.is_done:
        parts.append(_filter(inner, depth + 1))
    return And(tuple(parts)) if tag == 0xA0 else Or(tuple(parts))


def _substrings(reader: Reader) -> Substrings:
    attribute, inner = reader.string(), reader.element(ber.SEQUENCE)
    initial = inner.octets(0x80) if inner.tag == 0x80 else b""
    middle = []
    while inner.tag == 0x81:
        middle.append(inner.octets(0x81))
    final = inner.octets(0x82) if inner.tag == 0x82 else b""
    inner.end()
    try:
        return Substrings(attribute, initial, tuple(middle), final)
    except ValueError as error:
        raise reader.fault(str(error)) from None


def _extensible(reader: Reader) -> Extensible:
    rule = reader.string(0x81) if reader.tag == 0x81 else ""
    attribute = reader.string(0x82) if reader.tag == 0x82 else ""
    value = reader.octets(0x83)
    is_in_dn = reader.boolean(0x84) if reader.tag == 0x84 else False
    try:
        return Extensible(value, attribute, rule, is_in_dn)
    except ValueError as error:
        raise reader.fault(str(error)) from None


def _result(reader: Reader) -> Result:
    code, matched, message = reader.integer(ber.ENUMERATED), reader.string(), reader.string()
    return Result(code, matched, message, _strings(reader.element(0xA3)) if reader.tag == 0xA3 else ())


def _bind_done(reader: Reader) -> BindResponse:
    inner = reader.element(BIND_DONE)
    return BindResponse(_result(inner), inner.octets(0x87) if inner.tag == 0x87 else None)


def _search_entry(reader: Reader) -> SearchEntry:
    inner = reader.element(SEARCH_ENTRY)
    dn, rows, found = inner.string(), inner.element(ber.SEQUENCE), []
    while not rows.is_done:
        row = rows.element(ber.SEQUENCE)
        name, values, octets = row.string(), row.element(ber.SET), []
        while not values.is_done:
            octets.append(values.octets())
        found.append((name, tuple(octets)))
    return SearchEntry(dn, tuple(found))


def _search_reference(reader: Reader) -> SearchReference:
    return SearchReference(_strings(reader.element(SEARCH_REFERENCE)))


def _search_done(reader: Reader) -> SearchDone:
    return SearchDone(_result(reader.element(SEARCH_DONE)))


def _extended(reader: Reader) -> ExtendedRequest:
    inner = reader.element(EXTENDED)
    return ExtendedRequest(inner.string(0x80), inner.octets(0x81) if inner.tag == 0x81 else None)


def _extended_done(reader: Reader) -> ExtendedResponse:
    inner = reader.element(EXTENDED_DONE)
    result = _result(inner)
    name = inner.string(0x8A) if inner.tag == 0x8A else None
    return ExtendedResponse(result, name, inner.octets(0x8B) if inner.tag == 0x8B else None)


def _intermediate(reader: Reader) -> IntermediateResponse:
    inner = reader.element(INTERMEDIATE)
    name = inner.string(0x80) if inner.tag == 0x80 else None
    return IntermediateResponse(name, inner.octets(0x81) if inner.tag == 0x81 else None)


_PARSERS: Final[dict[int, Callable[[Reader], Request | Response]]] = {
    BIND: _bind,
    UNBIND: _unbind,
    SEARCH: _search,
    ABANDON: _abandon,
    EXTENDED: _extended,
    BIND_DONE: _bind_done,
    SEARCH_ENTRY: _search_entry,
    SEARCH_REFERENCE: _search_reference,
    SEARCH_DONE: _search_done,
    EXTENDED_DONE: _extended_done,
    INTERMEDIATE: _intermediate,
}


# ---- values to octets -----------------------------------------------------------------------------------------------


def format_message(message: Message) -> bytes:
    """Return the octets of a message."""
    operation = message.operation
    body = _format_response(operation) if isinstance(operation, Response) else _format_request(operation)
    controls = [_format_control(control) for control in message.controls]
    rest = ber.element(CONTROLS, *controls) if controls else b""
    return ber.element(ber.SEQUENCE, ber.integer(message.id), body, rest)


def _format_control(control: Control) -> bytes:
    critical = ber.boolean(True) if control.is_critical else b""
    return ber.element(ber.SEQUENCE, ber.string(control.oid), critical, _maybe(ber.OCTET_STRING, control.value))


def _maybe(tag: int, value: bytes | None) -> bytes:
    return b"" if value is None else ber.element(tag, value)


def _format_request(operation: Request) -> bytes:
    match operation:
        case BindRequest(name, Simple(password), version):
            return ber.element(BIND, ber.integer(version), ber.string(name), ber.element(0x80, password))
        case BindRequest(name, Sasl(mechanism, credentials), version):
            sasl = ber.element(0xA3, ber.string(mechanism), _maybe(ber.OCTET_STRING, credentials))
            return ber.element(BIND, ber.integer(version), ber.string(name), sasl)
        case UnbindRequest():
            return ber.element(UNBIND)
        case SearchRequest():
            return _format_search(operation)
        case AbandonRequest(number):
            return ber.integer(number, ABANDON)
        case ExtendedRequest(name, value):
            return ber.element(EXTENDED, ber.string(name, 0x80), _maybe(0x81, value))
        case OtherRequest(tag):
            return ber.element(tag)
    raise TypeError(operation)


def _format_search(request: SearchRequest) -> bytes:
    return ber.element(
        SEARCH,
        ber.string(request.base),
        ber.integer(request.scope, ber.ENUMERATED),
        ber.integer(request.dereference, ber.ENUMERATED),
        ber.integer(request.size_limit),
        ber.integer(request.time_limit),
        ber.boolean(request.types_only),
        format_filter_octets(request.filter),
        ber.element(ber.SEQUENCE, *map(ber.string, request.attributes)),
    )


def format_filter_octets(value: Filter) -> bytes:
    """Return the octets of a filter."""
    match value:
        case And(parts):
            return ber.element(0xA0, *map(format_filter_octets, parts))
        case Or(parts):
            return ber.element(0xA1, *map(format_filter_octets, parts))
        case Not(inner):
            return ber.element(0xA2, format_filter_octets(inner))
        case Present(attribute):
            return ber.string(attribute, 0x87)
        case Compare(attribute, comparison, octets):
            return ber.element(
                _COMPARISON_TAGS[comparison], ber.string(attribute), ber.element(ber.OCTET_STRING, octets)
            )
        case Substrings(attribute, initial, middle, final):
            pieces = [ber.element(0x80, initial)] if initial else []
            pieces += [ber.element(0x81, piece) for piece in middle]
            pieces += [ber.element(0x82, final)] if final else []
            return ber.element(0xA4, ber.string(attribute), ber.element(ber.SEQUENCE, *pieces))
        case Extensible(octets, attribute, rule, is_in_dn):
            parts_of = [ber.string(rule, 0x81)] if rule else []
            parts_of += [ber.string(attribute, 0x82)] if attribute else []
            parts_of += [ber.element(0x83, octets)]
            return ber.element(0xA9, *parts_of, ber.boolean(True, 0x84) if is_in_dn else b"")


def _format_result(result: Result) -> bytes:
    referrals = ber.element(0xA3, *map(ber.string, result.referrals)) if result.referrals else b""
    code = ber.integer(result.code, ber.ENUMERATED)
    return code + ber.string(result.matched_dn) + ber.string(result.message) + referrals


def _format_response(operation: Response) -> bytes:
    match operation:
        case BindResponse(result, credentials):
            return ber.element(BIND_DONE, _format_result(result), _maybe(0x87, credentials))
        case SearchEntry(dn, attributes):
            rows = (
                ber.element(
                    ber.SEQUENCE,
                    ber.string(name),
                    ber.element(ber.SET, *(ber.element(ber.OCTET_STRING, value) for value in values)),
                )
                for name, values in attributes
            )
            return ber.element(SEARCH_ENTRY, ber.string(dn), ber.element(ber.SEQUENCE, *rows))
        case SearchReference(uris):
            return ber.element(SEARCH_REFERENCE, *map(ber.string, uris))
        case SearchDone(result):
            return ber.element(SEARCH_DONE, _format_result(result))
        case ExtendedResponse(result, name, value):
            named = b"" if name is None else ber.string(name, 0x8A)
            return ber.element(EXTENDED_DONE, _format_result(result), named, _maybe(0x8B, value))
        case IntermediateResponse(name, value):
            named = b"" if name is None else ber.string(name, 0x80)
            return ber.element(INTERMEDIATE, named, _maybe(0x81, value))
        case OtherResponse(tag, result):
            return ber.element(tag, _format_result(result))


# ---- the control that divides an answer into pages (RFC 2696 §2) ----------------------------------------------------


def format_page(size: int, cookie: bytes = b"") -> bytes:
    """Return the value of the paged results control."""
    return ber.element(ber.SEQUENCE, ber.integer(size), ber.element(ber.OCTET_STRING, cookie))


def parse_page(value: bytes) -> tuple[int, bytes]:
    """Return the size and the cookie of a paged results control; an empty cookie ends the pages. Raises SyntaxFault."""
    inner = Reader(value).element(ber.SEQUENCE)
    return inner.integer(), inner.octets()
