"""Types that inputs and outputs of operations share: sizes, moments, levels and states as their words.

What is checked here is the form alone, as far as a description of the API can tell it; ``words`` and the operations
check the rest and name the field. Tests: ``tests/unit/services/administration/test_fields.py``.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any, Final

from pydantic import BeforeValidator, Field, WithJsonSchema

from posthouse.services.administration import words
from posthouse.services.administration.faults import Refused
from posthouse.services.administration.words import NAME_LONGEST

ADDRESS_LONGEST: Final = 1_000  # characters; what is longer than an address may be is refused in words
NOTE_LONGEST: Final = 1_000


def _octets(given: Any) -> Any:
    if not isinstance(given, str):
        return given
    try:
        return words.size(given)
    except Refused as fault:
        raise ValueError(f"{fault.detail}; {fault.remedy}") from None


# Octets: a number, or a text such as 500M or 2G. 0 means that there is no limit.
Size = Annotated[
    int,
    Field(ge=0, le=words.LARGEST),
    BeforeValidator(_octets),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "integer", "minimum": 0, "maximum": words.LARGEST},
                {"type": "string", "pattern": r"^[0-9]{1,9}[KMGkmg]?$"},
            ],
            "examples": ["500M", "2G", 1073741824],
        }
    ),
]

# Octets in an answer.
Octets = Annotated[int, Field(json_schema_extra={"unit": "octets"})]

AddressText = Annotated[str, Field(min_length=1, max_length=ADDRESS_LONGEST)]
DomainText = Annotated[str, Field(min_length=1, max_length=ADDRESS_LONGEST)]
OfficeText = Annotated[str, Field(max_length=64)]
NameText = Annotated[str, Field(max_length=NAME_LONGEST)]
NoteText = Annotated[str, Field(max_length=NOTE_LONGEST)]
OptionalAddressText = Annotated[str, Field(max_length=ADDRESS_LONGEST)]  # "" for none


def moment(seconds: float) -> datetime | None:
    """Return seconds since the epoch as a moment; None for 0.0, which stands for never."""
    return datetime.fromtimestamp(seconds, UTC) if seconds else None
