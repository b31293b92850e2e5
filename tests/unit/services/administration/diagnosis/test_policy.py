"""MTA-STS policies: reading them, and fetching them from a server of the test."""

from __future__ import annotations

import asyncio

import pytest

from posthouse.services.administration.diagnosis.policy import PolicyFault, PolicyFetcher, parse_policy
from posthouse.services.resolver.contract import Finding
from posthouse.testing.resolver import FakeResolver

GOOD = "version: STSv1\r\nmode: enforce\r\nmx: mail.house.org\r\nmx: *.house.net\r\nmax_age: 604800\r\n"


def test_a_policy_is_read() -> None:
    """Mode, exchangers with a star for one label, seconds."""
    policy = parse_policy(GOOD)
    assert (policy.mode, policy.max_age) == ("enforce", 604_800)
    assert policy.allows("MAIL.house.org")
    assert policy.allows("a.house.net")
    assert not policy.allows("a.b.house.net")


BAD = [
    pytest.param("", "version", id="empty"),
    pytest.param("<html>", "no colon", id="a page"),
    pytest.param(GOOD.replace("enforce", "strict"), "'strict'", id="mode"),
    pytest.param(GOOD.replace("604800", "a week"), "max_age", id="age"),
    pytest.param("version: STSv1\nmode: testing\nmax_age: 1\n", "names no mx", id="no mx"),
]


@pytest.mark.parametrize(("text", "words"), BAD)
def test_what_is_no_policy_is_said(text, words) -> None:
    """In words of ours."""
    with pytest.raises(PolicyFault, match=words):
        parse_policy(text)


FETCHES = [
    pytest.param({}, "has no address", id="no host"),
    pytest.param({"mta-sts.house.org": Finding.UNAVAILABLE}, "has no address", id="no answer"),
    pytest.param({"mta-sts.house.org": ["10.0.0.1"]}, "private address", id="the inside is not asked"),
]


@pytest.mark.parametrize(("addresses", "words"), FETCHES)
async def test_a_policy_that_cannot_be_had(addresses, words) -> None:
    """Nothing is connected to."""
    with pytest.raises(PolicyFault, match=words):
        await PolicyFetcher(FakeResolver({}, addresses)).fetch("house.org")


async def test_a_host_that_speaks_no_tls(monkeypatch) -> None:
    """It counts as one that does not answer."""
    monkeypatch.setattr("posthouse.services.administration.diagnosis.policy.is_private_address", lambda _: False)

    async def hang_up(_: asyncio.StreamReader, link: asyncio.StreamWriter) -> None:
        link.close()

    async with await asyncio.start_server(hang_up, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        fetcher = PolicyFetcher(FakeResolver({}, {"mta-sts.house.org": ["127.0.0.1"]}), port=port)
        with pytest.raises(PolicyFault, match="does not answer over HTTPS"):
            await fetcher.fetch("house.org")
