"""Settings of groups."""

from __future__ import annotations

from posthouse.config.setting import PER_DOMAIN, Authority, bool_setting, int_setting

SEND_AS = bool_setting(
    "group.send_as",
    False,
    "Whether the members of a group may send from its address.",
    scopes=PER_DOMAIN,
    authority=Authority.OWN,
)
RECIPIENTS = int_setting(
    "group.recipients",
    5_000,
    "How many addresses one recipient may become, through groups and aliases. Where there are more the message is "
    "refused for now, until the group is smaller.",
    unit="addresses",
    minimum=10,
    maximum=100_000,
)

SETTINGS = (SEND_AS, RECIPIENTS)
