"""Makes the manual of settings and of ``posthouse.toml`` from their definitions.

``python -m posthouse.config.reference`` writes ``docs/settings.md`` below the current directory; a test fails where
the committed file is another. Tests: ``tests/unit/config/test_reference.py``.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from posthouse.config.definitions import TOPICS
from posthouse.config.file import FILE_KEYS, LISTENER_KEYS, Key
from posthouse.config.setting import Authority, Setting

PAGE: Final = Path("docs/settings.md")
_HEAD: Final = """# Configuration

This page is made from the definitions in `src/posthouse/config`; do not edit it, run
`python -m posthouse.config.reference`.

There are two places and no more. **`posthouse.toml`**, in the home, holds what the server needs before it can open its
store. Everything else is a **setting** in the store: `posthouse setting set NAME VALUE`, for the server, or with
`--scope office:NAME`, `--scope domain:NAME` or `--scope account:ADDRESS` where the setting allows it. An account
inherits from its domain, a domain from its post office, that from the server, the server from the default. Settings
hold from the next use on, unless a restart is said to be needed.

Sizes are octets or numbers with KiB, MiB, GiB; durations are seconds or numbers with d, h, m, s, ms, such as `1h30m`.
"""
_SET_BY: Final = {
    Authority.ABOVE: "who administers what it is in",
    Authority.OWN: "who administers it",
    Authority.SERVER: "administrators of the server",
}


def make_page() -> str:
    """Return the whole page, Markdown."""
    return "\n".join(_page())


def _page() -> Iterator[str]:
    yield _HEAD
    yield "## posthouse.toml\n"
    yield from _keys(FILE_KEYS)
    yield "\nThe keys of `[log]` describe one output; each `[[log.output]]` is one more, with the same keys. `[log]`"
    yield "without keys of its own is no output where there are others. See [the log](logs.md).\n"
    yield "Each `[[listener]]` has these keys:\n"
    yield from _keys(LISTENER_KEYS)
    for topic in TOPICS:
        settings: tuple[Setting[Any], ...] = topic.SETTINGS
        if not settings:
            continue
        yield f"\n## {settings[0].name.partition('.')[0]}\n"
        yield (topic.__doc__ or "").partition("\n")[0] + "\n"
        for setting in sorted(settings, key=lambda each: each.name):
            yield from _setting(setting)


def _keys(keys: Mapping[str, Key]) -> Iterator[str]:
    yield "| key | takes | what it does |"
    yield "|---|---|---|"
    for name, key in keys.items():
        yield f"| `{name}` | {key.allowed} | {key.explanation} |"


def _setting(setting: Setting[Any]) -> Iterator[str]:
    yield f"### `{setting.name}`\n"
    yield setting.explanation + "\n"
    default = setting.format(setting.default)
    yield f"- takes: {setting.allowed}"
    yield f"- default: {f'`{default}`' if default else 'empty'}"
    for level, value in setting.earlier_defaults:
        yield f"- default up to compatibility level {level}: `{setting.format(value)}`"
    yield "- may be set for: " + ", ".join(scope.value for scope in setting.scopes)
    if len(setting.scopes) > 1:
        more = "; nobody sets more than he was given" if setting.is_ceiling else ""
        yield f"- set there by: {_SET_BY[setting.authority]}{more}"
    if setting.restart_needed:
        yield "- a restart is needed"
    if setting.rfc:
        yield f"- see {setting.rfc}"
    yield f"- since {setting.since}\n"


def main() -> None:
    """Write the page."""
    PAGE.parent.mkdir(exist_ok=True)
    PAGE.write_text(make_page(), encoding="utf-8")
    sys.stdout.write(f"{PAGE} written\n")


if __name__ == "__main__":
    main()
