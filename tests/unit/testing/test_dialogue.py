"""The dialogue runner itself, against a toy server that echoes lines."""

import pytest

from posthouse.testing.dialogue import (
    DialogueFailed,
    compile_expectation,
    read_script,
    run_dialogue,
    run_dialogue_bytewise,
    run_dialogue_socket,
    serve_peer,
    unescape,
)


class Echo:
    """Greets, echoes lines, tells all sessions of a shout, closes at QUIT."""

    def __init__(self, room, config):
        self.closed = False
        self.buffer = b""
        self.out = b"* hello " + config.get("name", "nobody").encode() + b"\r\n"
        self.room = room
        self.steps = []
        room.append(self)

    def step(self, name):
        self.out += b"step " + name.encode() + b"\r\n"

    def feed(self, data):
        self.buffer += data
        while b"\r\n" in self.buffer:
            line, self.buffer = self.buffer.split(b"\r\n", 1)
            self.out += b"= " + line + b"\r\n"
            if line == b"SHOUT":
                for peer in self.room:
                    if peer is not self:
                        peer.out += b"* shout\r\n"
            self.closed = self.closed or line == b"QUIT"
        out, self.out = self.out, b""
        return out


def factory():
    room = []
    return lambda config: Echo(room, config)


GOOD = r"""# a toy
config: name=toy
S: * hello {\w+}
C: one {two}
S: = one {{two}}
C-raw: a\x20b
C: c
C: d
S*: = a{.*}
S: = d
C-fill: 3 xy
C:
S: = x{(?:y|x){2}}yxy
[session 2]
S: * hello toy
C: SHOUT
S-raw: = SHOUT\r\n
[session 1]
S: * shout
C: QUIT
S: = QUIT
[closed]
"""

BAD = [
    pytest.param("S: * hello\n", id="a line that differs"),
    pytest.param("S: * hello nobody\nS: more\n", id="a line that never comes"),
    pytest.param("S: * hello nobody\nC: a\nC: b\nS: = a\n", id="a line nobody asked for, at the end"),
    pytest.param("S: * hello nobody\nC: a\nC: b\nS: = a\nC: c\nS: = c\n", id="a line nobody asked for"),
    pytest.param("S: * hello nobody\nC: a\nS: = a\n[closed]\n", id="not closed"),
    pytest.param("S: * hello nobody\nC: a\nS-raw: = b\\r\\n\n", id="bytes that differ"),
]


@pytest.mark.parametrize("run", [run_dialogue, run_dialogue_bytewise])
def test_a_good_script_plays(tmp_path, run):
    """Every form of line works in memory."""
    path = tmp_path / "good.txt"
    path.write_text(GOOD + "[session 3]\nS: * hello toy\n[step dance]\nS: step dance\n")
    run(path, factory())


async def test_a_good_script_plays_over_a_socket(tmp_path):
    """The same script plays over a loopback socket, but for what other sessions cause, which needs a real server."""
    path = tmp_path / "good.txt"
    path.write_text(GOOD.replace("[session 1]\nS: * shout\n", "[session 1]\nC: x\nS*: * shout\nS: = x\n"))
    await run_dialogue_socket(path, serve_peer(factory()))


@pytest.mark.parametrize("script", BAD)
def test_a_difference_is_reported(tmp_path, script):
    """A server that says something else fails the script with the line number."""
    path = tmp_path / "bad.txt"
    path.write_text(script)
    with pytest.raises(DialogueFailed, match=r"bad\.txt:\d"):
        run_dialogue(path, factory())


def test_what_is_no_dialogue_line_is_refused(tmp_path):
    """A typing error in a script is an error of the script, not a comment."""
    path = tmp_path / "bad.txt"
    path.write_text("X: what\n")
    with pytest.raises(ValueError, match=r"bad\.txt:1"):
        read_script(path)


def test_escapes_and_islands():
    """Escapes give bytes, islands match, braces double to stay literal."""
    assert unescape(r"a\r\n\x00\\\t") == b"a\r\n\x00\\\t"
    assert compile_expectation(r"{{{\d{2}}}} x").fullmatch(b"{12} x")
