"""The server messages in English."""

from __future__ import annotations

from typing import Final

_RECIPIENTS = """\
{% for each in recipients %}
  {{ each.address }}
{% if each.wanted %}
    (you wrote to {{ each.wanted }})
{% endif %}
{% if each.kind == "unknown" %}
    The address is not known there.
{% elif each.kind == "full" %}
    The mailbox is full.
{% elif each.kind == "large" %}
    The message is too large.
{% elif each.kind == "silent" %}
    The recipient's system did not answer.
{% elif each.kind == "refused" %}
    The recipient's system refused the message by its rules.
{% endif %}
{% if each.reply %}
    {{ each.host or "The reason" }}: {{ each.reply }}
{% endif %}
{% if each.until %}
    Delivery will be tried until {{ each.until }}.
{% endif %}

{% endfor %}
"""
_END = """\

The message came in on {{ arrived }}.
{{ "It" if whole else "Its header" }} is attached to this report.
"""
_DONE_BY = """\
{{ at }}, by {{ by }}{{ " from " if client else "" }}{{ client }}
"""

TEXTS: Final = {
    "welcome": (
        "Welcome to {{ title }}",
        """\
Hello {{ name }},

your mailbox {{ address }} is ready.{% if quota %} It keeps up to {{ quota }} of mail.{% endif %}


To read your mail in a mail program, enter {{ address }} as the user name and {{ hostname }} as the server for \
incoming and outgoing mail.

If you have questions, write to {{ postmaster }}.
""",
    ),
    "quota-warning": (
        "Your mailbox is {{ percent }} % full",
        """\
Hello {{ name }},

your mailbox {{ address }} holds {{ used }}{% if quota %} of {{ quota }}{% endif %} in {{ messages }} messages and is \
more than {{ percent }} % full. When it is full, no more mail is accepted for you.

Please delete what you no longer need, and empty the trash.
""",
    ),
    "quota-full": (
        "Your mailbox is full",
        """\
Hello {{ name }},

your mailbox {{ address }} is full: it holds {{ used }}{% if quota %} of {{ quota }}{% endif %} in {{ messages }} \
messages. Mail for you is being refused, and its senders are told so.

Please delete what you no longer need, and empty the trash.
""",
    ),
    "account-held": (
        "{{ account }} was removed and is held until {{ until }}",
        """\
The account {{ account }} was removed:

"""
        + _DONE_BY
        + """\

Its mail stays until {{ until }}; then it is destroyed. Until then an administrator can take the removal back.
""",
    ),
    "password-changed": (
        "Your password was changed",
        """\
Hello {{ name }},

the password of {{ address }} was changed:

"""
        + _DONE_BY
        + """\

If that was neither you nor somebody you asked, write to {{ postmaster }} at once.
""",
    ),
    "second-factor-changed": (
        "{% if change == 'on' %}A second factor protects your account now{% elif change == 'off' %}Your account has \
no second factor any more{% else %}The second factor of your account was changed{% endif %}",
        """\
Hello {{ name }},

{% if change == "on" %}
from now on, signing in as {{ address }} takes a second factor beside the password:
{% elif change == "off" %}
from now on, the password alone is enough to sign in as {{ address }}:
{% else %}
the second factor of {{ address }} was changed:
{% endif %}

"""
        + _DONE_BY
        + """\

If that was neither you nor somebody you asked, write to {{ postmaster }} at once.
""",
    ),
    "app-password-added": (
        "A new app password: {{ label }}",
        """\
Hello {{ name }},

an app password named "{{ label }}" was made for {{ address }}{% if expires %}; it works until {{ expires }}\
{% endif %}:

"""
        + _DONE_BY
        + """\

Whoever has it can read your mail. If that was neither you nor somebody you asked, write to {{ postmaster }} at once.
""",
    ),
    "sign-in-ban": (
        "Somebody tried to guess your password",
        """\
Hello {{ name }},

somebody at {{ network }} tried many wrong passwords for {{ address }}. That network may not sign in as you until \
{{ until }}. Nobody got in, and you need not do anything.

If it was a program of yours with an old password, correct it there. If your password is short or used elsewhere, \
choose a better one.
""",
    ),
    "daily-summary": (
        "Report of {{ day }} from {{ hostname }}",
        """\
{{ report }}""",
    ),
    "notice": (
        "{{ subject }}",
        """\
{{ text }}
""",
    ),
    "delivery-failed": (
        "Your message could not be delivered",
        """\
This is the mail system at {{ hostname }}.

Your message could not be delivered to:

"""
        + _RECIPIENTS
        + """\
It will not be tried again. What you can do depends on the reason above; where it speaks of an unknown address, check \
the spelling.
"""
        + _END,
    ),
    "delivery-delayed": (
        "Your message is delayed",
        """\
This is the mail system at {{ hostname }}.

Your message has not been delivered yet to:

"""
        + _RECIPIENTS
        + """\
You need not do anything: delivery is tried again by itself. Please do not send the message again.
"""
        + _END,
    ),
    "delivery-confirmed": (
        "Your message was delivered",
        """\
This is the mail system at {{ hostname }}.

Your message was delivered, or passed on to a system that may not confirm delivery, for:

"""
        + _RECIPIENTS
        + """\
You need not do anything. You asked to be told.
"""
        + _END,
    ),
}
