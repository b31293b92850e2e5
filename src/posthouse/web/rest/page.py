"""The page that lists the operations for people, at ``/api/v1/docs``; no script, nothing from elsewhere.

Tests: ``tests/unit/web/rest/test_description.py``.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator, Sequence
from html import escape
from typing import Any, Final

from posthouse.services.administration.catalogue import NOUNS
from posthouse.services.administration.operation import Operation
from posthouse.web.rest import inputs
from posthouse.web.rest.answers import BASE
from posthouse.web.rest.problems import TITLES

_STYLE: Final = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#222;"
    "background:#fff}code{font-family:ui-monospace,monospace}table{border-collapse:collapse;width:100%}"
    "td,th{text-align:left;vertical-align:top;padding:.25rem .75rem .25rem 0;border-bottom:1px solid #ddd}"
    "h3{margin:2rem 0 0}summary{cursor:pointer}.role{color:#555}"
    "@media(prefers-color-scheme:dark){body{background:#181818;color:#ddd}td,th{border-color:#444}.role{color:#aaa}"
    "a{color:#8bf}}"
)
_DIGEST: Final = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
POLICY: Final = f"default-src 'none'; style-src 'sha256-{_DIGEST}'; frame-ancestors 'none'"


def render(operations: Sequence[Operation[Any, Any]]) -> bytes:
    """Return the page."""
    return "".join(_page(operations)).encode()


def _page(operations: Sequence[Operation[Any, Any]]) -> Iterator[str]:
    yield "<!doctype html><html lang=en><meta charset=utf-8>"
    yield '<meta name=viewport content="width=device-width"><title>Posthouse API</title>'
    yield f"<style>{_STYLE}</style><h1>Posthouse API</h1>"
    yield f'<p>Made from the same operations as the command line. For programs: <a href="{BASE}/openapi.json">'
    yield "openapi.json</a> (OpenAPI 3.1). Sign in with <code>Authorization: Bearer TOKEN</code>.</p><ul>"
    nouns = sorted({each.noun for each in operations})
    yield "".join(f'<li><a href="#{noun}">{noun}</a> {escape(_about(noun))}</li>' for noun in nouns)
    yield "</ul>"
    for noun in nouns:
        yield f"<h2 id={noun}>{noun}</h2><p>{escape(_about(noun))}</p>"
        for each in operations:
            if each.noun == noun:
                yield from _operation(each)
    yield "<h2>Problems</h2><dl>"
    yield "".join(f"<dt id={kind}><code>{kind}</code></dt><dd>{escape(text)}.</dd>" for kind, text in TITLES.items())
    yield "</dl></html>"


def _about(noun: str) -> str:
    return NOUNS[noun][1] if noun in NOUNS else ""


def _operation(each: Operation[Any, Any]) -> Iterator[str]:
    yield f'<h3 id="{each.name}"><code>{each.method} {escape(BASE + each.path)}</code></h3>'
    yield f"<p>{escape(each.summary)} {escape(each.explanation)}</p>"
    yield f"<p class=role>{each.name}; takes the role {each.rule.least.name.lower()}"
    yield "; a job</p>" if each.is_long else "</p>"
    fields = each.input.model_fields
    if not fields:
        return
    named = set(inputs.path_fields(each))
    rest = "body" if inputs.takes_body(each) else "query"
    yield "<details><summary>Fields</summary><table>"
    for name, field in fields.items():
        place = "path" if name in named else rest
        need = " (needed)" if field.is_required() else ""
        yield f"<tr><td><code>{name}</code></td><td>{place}{need}</td><td>{escape(field.description or '')}</td></tr>"
    yield "</table></details>"
