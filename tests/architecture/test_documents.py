"""The documents are true: links lead somewhere, examples of configuration load, examples of commands are executed.

A ```` ```console ```` block holds lines that begin with ``$ ``, each followed by what it prints. All blocks of one
document are run in order, in a shell, on a demonstration server of its own; what is printed must match line by line,
where any number stands for any number, a queue id for the same queue id throughout, and ``...`` for anything (on a line
of its own: for any lines). Blocks marked ``sh`` are for reading and are not run. ``docs/tour.md`` begins with nothing
and makes its own server (``tests.support.tour``).
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import smtplib
import subprocess
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import pytest

from posthouse.config.file import parse_configuration
from tests.support.server import DOMAIN, PASSWORD, PosthouseServer, until
from tests.support.tour import Tour

ROOT = Path(__file__).parents[2]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"(?<!!)\[[^\]\n]+\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#{1,6} (.+)$", re.MULTILINE)
QUEUE_ID = re.compile(r"\b1K0RD[0-9A-HJKMNP-TV-Z]{8}\b")  # as written in documents
ANY_QUEUE_ID = r"[0-9A-HJKMNP-TV-Z]{13}"


@dataclass(frozen=True)
class Example:
    """One command of a document, with the lines it is said to print."""

    command: str
    expected: tuple[str, ...]


def name(path: Path) -> str:
    """Return a document's name for people."""
    return str(path.relative_to(ROOT))


def blocks(path: Path, *kinds: str) -> list[str]:
    """Return the contents of a document's fenced blocks of some kinds."""
    return [body for kind, body in FENCE.findall(path.read_text()) if kind in kinds]


def examples(path: Path) -> list[Example]:
    """Return the commands of a document."""
    found = []
    for block in blocks(path, "console"):
        for chunk in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, _, output = chunk.partition("\n")
            while command.endswith("\\"):
                more, _, output = output.partition("\n")
                command = f"{command[:-1]}{more}"
            found.append(Example(command, tuple(line.rstrip() for line in output.rstrip().splitlines())))
    return found


def anchors(path: Path) -> set[str]:
    """Return the anchors that a document's headings have."""
    text = FENCE.sub("", path.read_text())
    plain = (re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in HEADING.findall(text))
    return set(plain)


@pytest.mark.parametrize("path", DOCUMENTS, ids=name)
def test_links_lead_somewhere(path) -> None:
    """Every relative link names a file of the repository, and a heading of it where it names one."""
    for target in LINK.findall(FENCE.sub("", path.read_text())):
        if target.startswith(("http://", "https://", "mailto:")):
            continue
        file, _, anchor = target.partition("#")
        place = (path.parent / file).resolve() if file else path
        assert place.exists(), target
        assert not anchor or anchor in anchors(place), target


@pytest.mark.parametrize("path", [path for path in DOCUMENTS if blocks(path, "toml")], ids=name)
def test_examples_of_configuration_load(path) -> None:
    """What a document shows of posthouse.toml is TOML, and every key of it is known."""
    for text in blocks(path, "toml"):
        document = tomllib.loads(text)
        parse_configuration(text if "hostname" in document else f'hostname = "mail.example.org"\n{text}', path)


SOURCES = sorted((ROOT / "src").rglob("*.py"))


@pytest.mark.parametrize("path", [path for path in DOCUMENTS if "adr" not in path.parts], ids=name)
def test_files_that_are_named_exist(path) -> None:
    """A path in backquotes below src, tests, docs, bench or tools is there (maddy's manual names files long gone)."""
    for file in re.findall(r"`((?:src|tests|docs|bench|tools|\.ci)/[\w./-]+)", path.read_text()):
        assert (ROOT / file).exists(), file


def expression(line: str, ids: dict[str, str]) -> str:
    """Return the regex for an expected line."""
    parts = []
    for piece in re.split(rf"(\.\.\.|{QUEUE_ID.pattern}|\d+|\s+)", line):
        if piece == "...":
            parts.append(".*")
        elif QUEUE_ID.fullmatch(piece):
            parts.append(re.escape(ids[piece]) if piece in ids else f"(?P<id_{piece}>{ANY_QUEUE_ID})")
        elif piece.isdigit():
            parts.append(r"\d+")
        elif piece.isspace():
            parts.append(r"\s+")
        else:
            parts.append(re.escape(piece))
    return "".join(parts)


def compare(example: Example, printed: str, ids: dict[str, str]) -> None:
    """Match what was printed with what the document says; learn the queue ids that stand for those of the document."""
    lines = [line.rstrip() for line in printed.rstrip().splitlines()]
    at = 0
    skipping = False
    for expected in example.expected:
        if expected.strip() == "...":
            skipping = True
            continue
        pattern = re.compile(expression(expected, ids))
        while skipping and at < len(lines) and not pattern.fullmatch(lines[at]):
            at += 1
        assert at < len(lines), f"$ {example.command}\nexpected {expected!r}, but printed only:\n{printed}"
        match = pattern.fullmatch(lines[at])
        assert match, f"$ {example.command}\nexpected {expected!r}, but line {at + 1} of:\n{printed}"
        ids.update({key.removeprefix("id_"): value for key, value in match.groupdict().items()})
        at, skipping = at + 1, False
    assert skipping or at == len(lines), f"$ {example.command}\nprinted more than the document says:\n{printed}"


def put_mail_in(server: PosthouseServer) -> None:
    """Let a stranger write to anna, and anna to somebody whose server cannot be reached."""
    server.route("far.example", 9)
    with server.smtp(25) as client:
        client.sendmail(
            "carla@elsewhere.example", [f"anna@{DOMAIN}"], "Subject: Hello\nMessage-ID: <1@elsewhere>\n\nHi"
        )
        with contextlib.suppress(smtplib.SMTPRecipientsRefused):
            client.sendmail("carla@elsewhere.example", ["dora@far.example"], "Subject: Relay?\n\nHi")
    with server.submission("anna") as client:
        client.sendmail(f"anna@{DOMAIN}", ["dora@far.example"], "Subject: Out\nMessage-ID: <2@example.test>\n\nHi")
    until(lambda: server.events("relay.deferred"), "the first attempt to fail")


class Demonstration:
    """A demonstration server, and what commands on it need to know."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._server = PosthouseServer(folder / "home")

    def __enter__(self) -> Self:
        self._server.__enter__()
        put_mail_in(self._server)
        (self._folder / "password.txt").write_text(f"{PASSWORD}\n")
        return self

    def __exit__(self, *exc: object) -> None:
        self._server.stop()

    @property
    def environment(self) -> dict[str, str]:
        """What the shell has beside the usual."""
        return {"POSTHOUSE_HOME": str(self._server.home)}

    def here(self, command: str) -> str:
        """Return a command as it is: nothing is other here."""
        return command

    def as_written(self, printed: str) -> str:
        """Return what was printed with the home as it is written."""
        return printed.replace(str(self._server.home), "/var/lib/posthouse")


@pytest.mark.slow
@pytest.mark.parametrize("path", [path for path in DOCUMENTS if examples(path)], ids=name)
def test_examples_of_commands_are_executed(path, tmp_path) -> None:
    """What a document shows at the prompt happens so."""
    is_tour = path.name == "tour.md"
    missing = [tool for tool in ("curl", "jq", "openssl", "swaks") if is_tour and not shutil.which(tool)]
    if missing:
        pytest.skip(f"not installed: {', '.join(missing)}")
    with Tour(tmp_path) if is_tour else Demonstration(tmp_path) as place:
        environment = os.environ | place.environment | {
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "COLUMNS": "120",
            "TZ": "UTC",
        }  # fmt: skip
        ids: dict[str, str] = {}
        for example in examples(path):
            command = QUEUE_ID.sub(lambda match: ids.get(match[0], match[0]), example.command)
            done = subprocess.run(
                ["bash", "-c", place.here(command)], cwd=tmp_path, env=environment, stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=60, check=False,
            )  # fmt: skip
            compare(example, place.as_written(done.stdout), ids)


def test_bash_is_there() -> None:
    """The examples are run by it."""
    assert shutil.which("bash")
