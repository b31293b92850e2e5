"""``posthouse quickstart``: a working server for a first look, on loopback ports, with a demonstration domain."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

import click

from posthouse.config.home import HOME_VARIABLE, Home

DOMAIN = "example.test"
PASSWORD = "demo-password"
PEOPLE = (("anna", "Anna Berg"), ("ben", "Ben Okafor"))
DEFAULT_HOME = "run/quickstart"

HOW_TO_CONNECT = """
Posthouse is ready. It listens on this machine only; stop it with Ctrl-C.

  Accounts   anna@{domain}, ben@{domain}, admin@{domain}; password: {password}
  IMAP       127.0.0.1 port {imap} (STARTTLS) or {imaps} (TLS)
  POP3       127.0.0.1 port {pop3} (STARTTLS) or {pop3s} (TLS)
  Send       127.0.0.1 port {submission} (STARTTLS) or {submissions} (TLS), with the same password
  From the internet's side: SMTP on {mx}; LMTP on {lmtp}
  The certificate is self-signed: tell your mail program to accept it.

Try it:
  swaks --server 127.0.0.1:{mx} --from someone@elsewhere.example --to anna@{domain} --header "Subject: Hello"
  curl --insecure --user anna@{domain}:{password} "imaps://127.0.0.1:{imaps}/INBOX;MAILINDEX=1"
  {posthouse} --home {home} journey find anna@{domain}

Everything lives in {home}; remove it to begin anew.
"""


@click.command()
@click.option("--home", "home_text", metavar="DIR", help=f"Where it lives (else POSTHOUSE_HOME, else {DEFAULT_HOME}).")
@click.option("--port-offset", default=20_000, show_default=True, help="Added to every port.")
@click.pass_context
def command(context: click.Context, home_text: str | None, port_offset: int) -> int:
    """Start a demonstration server: makes its home if there is none, serves, and says how to connect."""
    from posthouse.founding import Founding, found_home
    from posthouse.serving import serve

    chosen = home_text or context.find_root().obj or os.environ.get(HOME_VARIABLE) or DEFAULT_HOME
    home = Home(Path(chosen).absolute())
    if not home.file.exists():
        click.echo(f"Making a demonstration server in {home.path}")
        plan = Founding(
            hostname=f"mail.{DOMAIN}",
            domain=DOMAIN,
            admin=f"admin@{DOMAIN}",
            password=PASSWORD.encode(),
            listen=("127.0.0.1",),
            port_offset=port_offset,
            people=tuple((f"{local}@{DOMAIN}", PASSWORD.encode(), name) for local, name in PEOPLE),
        )
        asyncio.run(found_home(home, plan))
    return serve(home, lambda: _say_how(home))


class _Words(dict[str, object]):
    """Words for the text; a listener that somebody took out of the file reads as off."""

    def __missing__(self, name: str) -> str:
        return "(off)"


def _say_how(home: Home) -> None:
    from posthouse.config.file import load_configuration

    words = _Words({one.name: one.bind[0].port for one in load_configuration(home.file).listeners})
    words.update(domain=DOMAIN, password=PASSWORD, home=home.path, posthouse=_own_name())
    sys.stdout.write(HOW_TO_CONNECT.format_map(words))
    sys.stdout.write("ready\n")
    sys.stdout.flush()


def _own_name() -> str:
    path = Path(sys.argv[0])
    return str(path) if path.name == "posthouse" else "posthouse"
