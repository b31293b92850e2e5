"""The people of this machine as a sign-in source, through PAM.

Each question runs in a process of its own (``pam_helper``), which is killed when its time is over. The service must be
there: where PAM has no file for it, it would ask ``other``, which is a mistake nobody sees. Many modules need rights
that a worker has not; ``pam_unix`` checks only the worker's own user unless it is in the group ``shadow``.
Tests: ``tests/interop/test_sources_pam.py``.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import pwd
import re
import signal
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from posthouse.services.identity.sources import pam_helper
from posthouse.services.identity.sources.contract import (
    Down,
    Granted,
    Login,
    QuietSource,
    SourceAnswer,
    SourceFinding,
    SourcePerson,
    Unknown,
    Wrong,
)
from posthouse.services.identity.sources.fields import number, one_of, option, span, text, words

SYSTEM_FOLDERS: Final = (Path("/etc/pam.d"), Path("/usr/lib/pam.d"), Path("/usr/share/pam.d"))
_SERVICE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_USER = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.@+\\-]{0,127}")
# of Linux-PAM's _pam_types.h: what the person did wrong, whom nobody knows; everything else is trouble of the machine
_WRONG: Final = {6: "denied", 7: "wrong", 8: "not allowed to ask", 11: "tries used up", 12: "password expired",
                 13: "account expired", 27: "password expired"}  # fmt: skip
_UNKNOWN: Final = 10


def _service(value: str) -> str:
    if not _SERVICE.fullmatch(value):
        raise ValueError("the name of a PAM service, such as posthouse")
    return value


@dataclass(frozen=True, slots=True, kw_only=True)
class PamConfig:
    """The fields of a PAM source."""

    service: str = option(_service, "The PAM service that is asked: a file of that name in `/etc/pam.d`.", "posthouse")
    user: str = option(
        one_of("local", "address", "login"),
        "What is the user's name there: the part before the @, the whole address, or what was typed.",
        "local",
    )
    domain: str = option(text, "The domain of the machine's people when they are listed or type a bare name.", "")
    exclude: tuple[str, ...] = option(words, "Users who never sign in, divided by commas.", "root")
    timeout: float = option(span(0.5, 60), "How long PAM may take; then it is stopped.", "5s")
    processes: int = option(number(1, 32), "How many questions each worker asks at once.", "4")


class PamSource(QuietSource):
    """PAM of this machine; ``folder`` stands in for ``/etc/pam.d`` in tests."""

    def __init__(self, name: str, config: PamConfig, *, folder: str = "") -> None:
        super().__init__(name)
        self._config = config
        self._folder = folder
        self._gate = asyncio.Semaphore(config.processes)

    async def check_password(self, login: Login, password: bytes) -> SourceAnswer:
        """Ask PAM in a process of its own."""
        if not password or b"\x00" in password:
            return Wrong("an empty password, or one with a NUL")
        user = {"local": login.local_part, "address": login.address, "login": login.name}[self._config.user]
        if not _USER.fullmatch(user) or user in self._config.exclude:
            return Unknown()
        if (trouble := self._trouble()) is not None:
            return Down(trouble.text)
        async with self._gate:
            answer = await self._ask(user, password, login.client)
        if isinstance(answer, Down):
            return answer
        code, said = answer
        if code == 0:
            return Granted(self._person(login, user))
        if code == _UNKNOWN:
            return Unknown()
        if code in _WRONG:
            return Wrong(said)
        return Down(said, is_spared=False)

    async def _ask(self, user: str, password: bytes, client: str) -> tuple[int, str] | Down:
        question = {
            "service": self._config.service,
            "folder": self._folder,
            "user": user,
            "password": password.decode("utf-8", "surrogateescape"),
            "client": client,
        }
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-I", "-S", pam_helper.__file__,
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
            env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8"}, start_new_session=True,
        )  # fmt: skip
        try:
            said, _ = await asyncio.wait_for(process.communicate(json.dumps(question).encode()), self._config.timeout)
        except TimeoutError:
            return Down(f"PAM did not answer within {self._config.timeout:g} s", is_spared=False)
        finally:
            if process.returncode is None:
                # modules may have started programs of their own; all of them are in the helper's session
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                await process.wait()
        return _read(said, process.returncode or 0)

    def _person(self, login: Login, user: str) -> SourcePerson:
        address = login.address
        if "@" not in address and self._config.domain:
            address = f"{address}@{self._config.domain.lower()}"
        return SourcePerson(address=address, display_name=_full_name(user), external_id=user)

    def _trouble(self) -> SourceFinding | None:
        """Return why PAM cannot be asked at all, None where it can."""
        try:
            pam_helper.load()
        except OSError as error:
            return SourceFinding(False, str(error), "Install libpam0g (Debian), or use another kind of source.")
        folders = (Path(self._folder),) if self._folder else SYSTEM_FOLDERS
        if not any((folder / self._config.service).is_file() for folder in folders):
            return SourceFinding(
                False,
                f"PAM has no service {self._config.service}: there is no {folders[0] / self._config.service}",
                f"Write that file, for instance with the lines of {folders[0] / 'login'} for auth and account.",
            )
        return None

    async def test(self) -> SourceFinding:
        """Look for the library and the service, and ask about a user that nobody is."""
        if (trouble := self._trouble()) is not None:
            return trouble
        answer = await self._ask("posthouse-nobody", b"no password", "")
        if isinstance(answer, Down):
            return SourceFinding(False, answer.detail, "Look at the system's log of authentication.")
        if answer[0] in _WRONG or answer[0] == _UNKNOWN:
            return SourceFinding(True, f"PAM answers for the service {self._config.service}")
        if answer[0] == 0:
            return SourceFinding(False, "PAM lets anybody in with any password", "Mend the service's file.")
        return SourceFinding(False, answer[1], "Look at the service's file and the system's log of authentication.")

    async def people(self) -> AsyncIterator[SourcePerson]:
        """Yield the machine's own people: users with an id of 1000 and more and a shell to log in with."""
        if not self._config.domain:
            return
        for entry in pwd.getpwall():
            is_person = 1000 <= entry.pw_uid < 60_000 and not entry.pw_shell.endswith(("nologin", "false"))
            if is_person and entry.pw_name not in self._config.exclude:
                yield SourcePerson(
                    address=f"{entry.pw_name}@{self._config.domain}".lower(),
                    display_name=entry.pw_gecos.partition(",")[0],
                    external_id=entry.pw_name,
                )


def _read(said: bytes, status: int) -> tuple[int, str] | Down:
    try:
        answer = json.loads(said)
        code, step, words_of = int(answer["code"]), str(answer["step"]), str(answer["text"])
    except (ValueError, KeyError, TypeError):
        return Down(f"the PAM helper ended with status {status} and no answer", is_spared=False)
    return (code, f"PAM {step}: {words_of}") if code >= 0 else Down(words_of)


def _full_name(user: str) -> str:
    try:
        return pwd.getpwnam(user).pw_gecos.partition(",")[0]
    except (KeyError, ValueError):
        return ""
