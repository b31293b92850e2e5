"""What the import operations take and give.

Tests: ``tests/unit/services/administration/operations/test_import_operations.py``.
"""

from __future__ import annotations

from typing import Any

from pydantic import Field

from posthouse.services.administration.importing.apply import Clear, Existing, ImportOptions
from posthouse.services.administration.importing.pace import Pace
from posthouse.services.administration.importing.plan import Fence
from posthouse.services.administration.importing.report import ImportReport
from posthouse.services.administration.operation import Input, Output


class ImportInput(Input):
    """How an import is done."""

    existing: Existing = Field(
        Existing.KEEP,
        description="What is there already stays as it is (`keep`), or is brought to what the source says (`update`). "
        "A password that is there is never replaced.",
    )
    clear: Clear = Field(
        Clear.STRONG,
        description="Clear passwords are hashed with Argon2id, some dozens a second (`strong`); with a salted SHA-512, "
        "many thousands a second, made anew at the first sign-in (`quick`); or left out (`leave`).",
    )
    make_domains: bool = Field(True, description="Make domains that the source names only in addresses.")
    hashes_per_second: float = Field(
        0.0, ge=0.0, le=100_000.0, description="At most so many Argon2id hashes a second; 0 for as many as can be."
    )

    def options(self, *, is_dry_run: bool, fence: Fence, pace: Pace) -> ImportOptions:
        """Return them as the importer wants them."""
        return ImportOptions(
            is_dry_run=is_dry_run,
            existing=self.existing,
            clear=self.clear,
            makes_domains=self.make_domains,
            hashes_a_second=self.hashes_per_second,
            fence=fence,
            pace=pace,
        )


class ImportCsv(ImportInput):
    """How a CSV file is read."""

    domain: str = Field("", max_length=255, description="The domain of addresses that have none.")
    delimiter: str = Field("", max_length=1, description="What divides the fields; found out where it is not given.")
    encoding: str = Field("", max_length=32, description="How text is encoded; found out where it is not given.")
    quota_unit: str = Field(
        "", pattern="^[kmgt]?$", description="What a quota without unit counts: k, m, g or t; octets if not given."
    )


class ImportPostfix(ImportInput):
    """How a Postfix configuration is read."""

    domain: str = Field("", max_length=255, description="The domain of bare names; mydomain if not given.")
    passwd_file: str = Field("", max_length=1_000, description="Dovecot's passwd-file in the archive.")


class ImportSystem(ImportInput):
    """Which users of a Unix system become accounts."""

    domain: str = Field(min_length=1, max_length=255, description="The domain they are in.")
    lowest_uid: int = Field(1_000, ge=0, le=2**32, description="The lowest uid that is a person's.")
    highest_uid: int = Field(59_999, ge=0, le=2**32, description="The highest uid that is a person's.")


class ImportLdif(ImportInput):
    """How entries of an LDAP directory are read."""

    domain: str = Field("", max_length=255, description="The domain of people without a mail attribute; else left out.")
    quota_unit: str = Field(
        "", pattern="^[kmgt]?$", description="What a quota without unit counts: k, m, g or t; octets if not given."
    )
    source: str = Field(
        "", max_length=64, description="The sign-in source these people belong to; their passwords stay there."
    )


class Left(Output):
    """What has no place here, for one reason."""

    why: str = Field(description="Why, or what to do instead.")
    count: int = Field(description="How often.")
    examples: list[dict[str, str]] = Field(description="The first few: `what` and `where`.")


class Wrong(Output):
    """A record that was left out because something is wrong with it."""

    where: str = Field(description="File and line, or table and line.")
    detail: str = Field(description="What is wrong.")
    remedy: str = Field(description="What to do about it.")


class Imported(Output):
    """What an import did; a dry run says what it would do."""

    source: str = Field(description="What was read.")
    kind: str = Field(description="As what it was read.")
    complete: bool = Field(description="False where it was stopped; import the same file again and it goes on.")
    resumed_after: int = Field(description="How many records an earlier run had done.")
    records: int = Field(description="How many records there were.")
    counts: dict[str, dict[str, int]] = Field(description="By kind: made, changed, present, refused.")
    problem_count: int = Field(description="How many records are wrong.")
    problems: list[Wrong] = Field(description="The first of them.")
    left_out_count: int = Field(description="How many things have no place here.")
    left_out: list[Left] = Field(description="Those things by reason, the most frequent first.")
    seconds: float = Field(description="How long it took.")


def as_imported(report: ImportReport) -> Imported:
    """Return a report as an output."""
    reasons = sorted(report.left_out.values(), key=lambda group: (-group.count, group.why))
    values: dict[str, Any] = {
        "left_out": [
            Left(
                why=group.why,
                count=group.count,
                examples=[{"what": what, "where": where} for what, where in group.examples],
            )
            for group in reasons
        ],
        "problems": [Wrong(where=each.where, detail=each.detail, remedy=each.remedy) for each in report.problems],
    }
    return Imported(
        source=report.source,
        kind=report.kind,
        complete=report.is_complete,
        resumed_after=report.resumed_after,
        records=report.records,
        counts=report.counts,
        problem_count=report.problem_count,
        left_out_count=report.left_out_count,
        seconds=round(report.seconds, 3),
        **values,
    )
