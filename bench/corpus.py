"""A varied corpus of messages, the same at every run: plain text, HTML, alternatives, attachments, 8-bit, long headers.

``messages(count, size)`` gives whole messages with CRLF line ends, near ``size`` octets each.
"""

import base64
import random
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

WORDS = [
    "the",
    "of",
    "and",
    "to",
    "in",
    "is",
    "you",
    "that",
    "it",
    "he",
    "was",
    "for",
    "on",
    "are",
    "as",
    "with",
    "his",
    "they",
    "at",
    "be",
    "this",
    "have",
    "from",
    "or",
    "one",
    "had",
    "by",
    "word",
    "but",
    "not",
    "what",
    "all",
    "were",
    "we",
    "when",
    "your",
    "can",
    "said",
    "there",
    "use",
    "an",
    "each",
    "which",
    "she",
    "do",
    "how",
    "their",
    "if",
    "will",
    "up",
    "other",
    "about",
    "out",
    "many",
    "then",
    "them",
    "these",
    "so",
    "some",
    "her",
    "would",
    "make",
    "like",
    "him",
    "into",
    "time",
    "has",
    "look",
    "two",
    "more",
    "write",
    "go",
    "see",
    "number",
    "no",
    "way",
    "could",
    "people",
    "my",
    "than",
    "first",
    "water",
    "been",
    "call",
    "who",
    "oil",
    "its",
    "now",
    "find",
    "long",
    "down",
    "day",
    "did",
    "get",
    "come",
    "made",
    "may",
    "part",
    "budget",
    "invoice",
    "meeting",
    "contract",
    "delivery",
    "project",
    "schedule",
    "answer",
    "question",
    "customer",
    "order",
    "report",
    "version",
    "server",
    "backup",
    "holiday",
]
KINDS = 5
NAMES = ["Anna Berg", "José García", "Müller GmbH", "李雷", "O'Brien, Pat", "Support Team", "no-reply", "Иван Петров"]


def _encoded(text: str) -> str:
    if text.isascii():
        return f'"{text}"' if "," in text else text
    return f"=?utf-8?B?{base64.b64encode(text.encode()).decode()}?="


def _text(chance: random.Random, size: int) -> str:
    lines, length = [], 0
    while length < size:
        line = " ".join(chance.choices(WORDS, k=chance.randint(6, 13)))
        lines.append(line)
        length += len(line) + 2
    return "\r\n".join(lines) + "\r\n"


def _base64_block(chance: random.Random, size: int) -> str:
    text = base64.b64encode(chance.randbytes(size * 57 // 78)).decode()
    return "\r\n".join(text[place : place + 76] for place in range(0, len(text), 76)) + "\r\n"


def _body(kind: int, chance: random.Random, size: int) -> tuple[str, str]:
    """Return the MIME header lines and the body of one of five kinds of message."""
    mark = f"=_{chance.getrandbits(64):016x}"
    if kind == 0:
        return "Content-Type: text/plain; charset=utf-8\r\n", _text(chance, size)
    if kind == 1:
        html = f"<html><body><p>{_text(chance, size - 60)}</p></body></html>\r\n"
        return "Content-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n", html
    if kind == 2:
        parts = (
            f"--{mark}\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n{_text(chance, size // 3)}"
            f"--{mark}\r\nContent-Type: text/html; charset=utf-8\r\n\r\n<p>{_text(chance, size // 2)}</p>\r\n--{mark}--\r\n"
        )
        return f'Content-Type: multipart/alternative; boundary="{mark}"\r\n', parts
    if kind == 3:
        parts = (
            f"--{mark}\r\nContent-Type: text/plain\r\n\r\n{_text(chance, size // 5)}"
            f'--{mark}\r\nContent-Type: application/pdf; name="report.pdf"\r\nContent-Transfer-Encoding: base64\r\n'
            f'Content-Disposition: attachment; filename="report.pdf"\r\n\r\n{_base64_block(chance, size * 3 // 4)}--{mark}--\r\n'
        )
        return f'Content-Type: multipart/mixed; boundary="{mark}"\r\n', parts
    text = _text(chance, size).replace("question", "pr\u00fcfung").replace("e", "=65", 40)
    return "Content-Type: text/plain; charset=iso-8859-1\r\nContent-Transfer-Encoding: quoted-printable\r\n", text


def message(number: int, size: int) -> bytes:
    """Return message ``number`` of the corpus."""
    chance = random.Random(number)
    kind = number % KINDS
    moment = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=number)
    hops = "".join(
        f"Received: from relay{hop}.example.net (relay{hop}.example.net [192.0.2.{hop + 1}])\r\n"
        f"\tby mx{hop}.example.org with ESMTPS id {chance.getrandbits(48):012X};\r\n\t{format_datetime(moment)}\r\n"
        for hop in range(number % 4)
    )
    subject = " ".join(chance.choices(WORDS, k=6)) + (" für später" if number % 3 == 0 else "")
    head = (
        f"{hops}DKIM-Signature: v=1; a=rsa-sha256; d=example.net; s=s1; h=from:to:subject;\r\n"
        f"\tb={base64.b64encode(chance.randbytes(96)).decode()[:70]}\r\n"
        f"Date: {format_datetime(moment)}\r\nFrom: {_encoded(chance.choice(NAMES))} <sender{number % 97}@example.net>\r\n"
        f"To: {_encoded(chance.choice(NAMES))} <user@bench.test>\r\nSubject: {_encoded(subject)}\r\n"
        f"Message-ID: <{number}.{chance.getrandbits(64):x}@example.net>\r\nMIME-Version: 1.0\r\n"
        f"X-Mailer: Corpus 1.0\r\nList-Unsubscribe: <mailto:leave-{number}@example.net>\r\n"
    )
    mime, body = _body(kind, chance, max(200, size - len(head) - 300))
    return (head + mime + "\r\n" + body).encode("utf-8" if kind != 4 else "latin-1", "replace")


def messages(count: int, size: int = 10_240) -> list[bytes]:
    """Return the first ``count`` messages of the corpus."""
    return [message(number, size) for number in range(count)]
