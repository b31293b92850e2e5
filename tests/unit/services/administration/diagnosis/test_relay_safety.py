"""Networks that would make an open relay are told from those that a site may have."""

from __future__ import annotations

import pytest

from posthouse.services.administration.diagnosis.relay_safety import NetworkReview, review_networks

ROWS = [
    pytest.param([], NetworkReview(), id="nothing"),
    pytest.param(["192.0.2.7"], NetworkReview(), id="one address"),
    pytest.param(["192.0.2.0/24", "2001:db8:1::/48"], NetworkReview(), id="a site"),
    pytest.param(["0.0.0.0/0"], NetworkReview(open=("0.0.0.0/0",)), id="all of IPv4"),
    pytest.param(["::/0"], NetworkReview(open=("::/0",)), id="all of IPv6"),
    pytest.param(["2000::/3"], NetworkReview(open=("2000::/3",)), id="all of IPv6 that is in use"),
    pytest.param(["0.0.0.0/1", "128.0.0.0/1"], NetworkReview(open=("0.0.0.0/0",)), id="two halves of the world"),
    pytest.param([f"{n}.0.0.0/8" for n in range(64, 128)], NetworkReview(open=("64.0.0.0/2",)), id="many neighbours"),
    pytest.param(["44.0.0.0/8"], NetworkReview(wide=("44.0.0.0/8",)), id="a class A network is wide"),
    pytest.param(["2001:d00::/24"], NetworkReview(wide=("2001:d00::/24",)), id="a provider's IPv6 is wide"),
    pytest.param(["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "127.0.0.0/8"], NetworkReview(), id="private"),
    pytest.param(["fc00::/7", "fe80::/10", "::1"], NetworkReview(), id="private IPv6"),
    pytest.param(["10.0.0.0/7"], NetworkReview(open=("10.0.0.0/7",)), id="more than private"),
    pytest.param(["hello", "1.2.3.4/33", ""], NetworkReview(unreadable=("hello", "1.2.3.4/33", "")), id="no network"),
    pytest.param(["192.0.2.9/24"], NetworkReview(), id="host bits are set"),
]


@pytest.mark.parametrize(("texts", "review"), ROWS)
def test_networks_are_judged(texts, review) -> None:
    """Each list of networks is told to be narrow, wide, open or unreadable."""
    assert review_networks(texts) == review
