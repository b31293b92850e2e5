"""Asking the other workers: who answers, who is silent, who says nonsense."""

from __future__ import annotations

import asyncio

from posthouse.web import siblings
from posthouse.web.siblings import ask_siblings


async def test_the_silent_are_left_out_and_counted(tmp_path, monkeypatch) -> None:
    """One answers, one says nonsense, one refuses, one hangs, one is gone: only the first counts."""
    monkeypatch.setattr(siblings, "PATIENCE", 0.2)
    asked: list[bytes] = []
    gone = asyncio.Event()

    def answering(text: bytes):
        async def serve(reader, writer) -> None:
            asked.append(await reader.readline())
            if text:
                writer.write(text)
            else:
                await gone.wait()
            writer.close()

        return serve

    answers = {"a": b'{"x":1}\n', "b": b"nonsense\n", "c": b'{"error":"ask"}\n', "d": b"", "e": b"[]\n"}
    servers = [await asyncio.start_unix_server(answering(text), str(tmp_path / name)) for name, text in answers.items()]
    paths = [*(tmp_path / name for name in answers), tmp_path / "gone"]
    found, silent = await ask_siblings(paths, "metrics")
    assert (found, silent) == ([{"x": 1}], 5)
    assert asked[0] == b'{"do":"metrics"}\n'
    gone.set()
    for server in servers:
        server.close()
        await server.wait_closed()
    await asyncio.sleep(0)


async def test_nobody_to_ask() -> None:
    """A server of one worker asks nobody."""
    assert await ask_siblings([], "metrics") == ([], 0)
