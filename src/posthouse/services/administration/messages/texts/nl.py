"""The server messages in Dutch."""

from __future__ import annotations

from typing import Final

_RECIPIENTS = """\
{% for each in recipients %}
  {{ each.address }}
{% if each.wanted %}
    (u schreef aan {{ each.wanted }})
{% endif %}
{% if each.kind == "unknown" %}
    Het adres is daar niet bekend.
{% elif each.kind == "full" %}
    De mailbox is vol.
{% elif each.kind == "large" %}
    Het bericht is te groot.
{% elif each.kind == "silent" %}
    Het systeem van de ontvanger heeft niet geantwoord.
{% elif each.kind == "refused" %}
    Het systeem van de ontvanger heeft het bericht volgens zijn regels geweigerd.
{% endif %}
{% if each.reply %}
    {{ each.host or "De reden" }}: {{ each.reply }}
{% endif %}
{% if each.until %}
    De bezorging wordt geprobeerd tot {{ each.until }}.
{% endif %}

{% endfor %}
"""
_END = """\

Het bericht is binnengekomen op {{ arrived }}.
{{ "Het" if whole else "De kop ervan" }} is bij dit rapport gevoegd.
"""
_DONE_BY = """\
{{ at }}, door {{ by }}{{ " vanaf " if client else "" }}{{ client }}
"""

TEXTS: Final = {
    "welcome": (
        "Welkom bij {{ title }}",
        """\
Hallo {{ name }},

uw mailbox {{ address }} is klaar.{% if quota %} Er is plaats voor {{ quota }} aan mail.{% endif %}


Om uw mail in een mailprogramma te lezen, vult u {{ address }} in als gebruikersnaam en {{ hostname }} als server voor \
inkomende en uitgaande mail.

Hebt u vragen, schrijf dan aan {{ postmaster }}.
""",
    ),
    "quota-warning": (
        "Uw mailbox is voor {{ percent }} % vol",
        """\
Hallo {{ name }},

uw mailbox {{ address }} bevat {{ used }}{% if quota %} van {{ quota }}{% endif %} in {{ messages }} berichten en is \
voor meer dan {{ percent }} % vol. Als hij vol is, wordt er geen mail meer voor u aangenomen.

Verwijder wat u niet meer nodig hebt en leeg de prullenbak.
""",
    ),
    "quota-full": (
        "Uw mailbox is vol",
        """\
Hallo {{ name }},

uw mailbox {{ address }} is vol: hij bevat {{ used }}{% if quota %} van {{ quota }}{% endif %} in {{ messages }} \
berichten. Mail voor u wordt geweigerd, en de afzenders krijgen dat te horen.

Verwijder wat u niet meer nodig hebt en leeg de prullenbak.
""",
    ),
    "account-held": (
        "{{ account }} is verwijderd en wordt bewaard tot {{ until }}",
        """\
Het account {{ account }} is verwijderd:

"""
        + _DONE_BY
        + """\

De mail ervan blijft tot {{ until }} bewaard en wordt dan vernietigd. Tot die tijd kan een beheerder het herstellen.
""",
    ),
    "password-changed": (
        "Uw wachtwoord is gewijzigd",
        """\
Hallo {{ name }},

het wachtwoord van {{ address }} is gewijzigd:

"""
        + _DONE_BY
        + """\

Was u dat niet, en ook niet iemand aan wie u het vroeg, schrijf dan meteen aan {{ postmaster }}.
""",
    ),
    "second-factor-changed": (
        "{% if change == 'on' %}Een tweede factor beschermt nu uw account{% elif change == 'off' %}Uw account heeft \
geen tweede factor meer{% else %}De tweede factor van uw account is gewijzigd{% endif %}",
        """\
Hallo {{ name }},

{% if change == "on" %}
vanaf nu vraagt aanmelden als {{ address }} naast het wachtwoord een tweede factor:
{% elif change == "off" %}
vanaf nu is alleen het wachtwoord genoeg om aan te melden als {{ address }}:
{% else %}
de tweede factor van {{ address }} is gewijzigd:
{% endif %}

"""
        + _DONE_BY
        + """\

Was u dat niet, en ook niet iemand aan wie u het vroeg, schrijf dan meteen aan {{ postmaster }}.
""",
    ),
    "app-password-added": (
        "Een nieuw app-wachtwoord: {{ label }}",
        """\
Hallo {{ name }},

er is een app-wachtwoord met de naam "{{ label }}" gemaakt voor {{ address }}{% if expires %}; het werkt tot \
{{ expires }}{% endif %}:

"""
        + _DONE_BY
        + """\

Wie het heeft, kan uw mail lezen. Was u dat niet, en ook niet iemand aan wie u het vroeg, schrijf dan meteen aan \
{{ postmaster }}.
""",
    ),
    "sign-in-ban": (
        "Iemand probeerde uw wachtwoord te raden",
        """\
Hallo {{ name }},

iemand op {{ network }} heeft veel verkeerde wachtwoorden voor {{ address }} geprobeerd. Daarvandaan kan niemand zich \
tot {{ until }} als u aanmelden. Niemand is binnengekomen, en u hoeft niets te doen.

Was het een programma van u met een oud wachtwoord, verbeter het daar. Is uw wachtwoord kort of ook elders in gebruik, \
kies dan een beter.
""",
    ),
    "daily-summary": (
        "Rapport van {{ day }} van {{ hostname }}",
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
        "Uw bericht kon niet worden bezorgd",
        """\
Dit is het mailsysteem op {{ hostname }}.

Uw bericht kon niet worden bezorgd bij:

"""
        + _RECIPIENTS
        + """\
Het wordt niet opnieuw geprobeerd. Wat u kunt doen, hangt af van de reden hierboven; gaat het om een onbekend adres, \
controleer dan de spelling.
"""
        + _END,
    ),
    "delivery-delayed": (
        "Uw bericht is vertraagd",
        """\
Dit is het mailsysteem op {{ hostname }}.

Uw bericht is nog niet bezorgd bij:

"""
        + _RECIPIENTS
        + """\
U hoeft niets te doen: de bezorging wordt vanzelf opnieuw geprobeerd. Stuur het bericht alstublieft niet nog eens.
"""
        + _END,
    ),
    "delivery-confirmed": (
        "Uw bericht is bezorgd",
        """\
Dit is het mailsysteem op {{ hostname }}.

Uw bericht is bezorgd, of doorgegeven aan een systeem dat de bezorging misschien niet bevestigt, voor:

"""
        + _RECIPIENTS
        + """\
U hoeft niets te doen. U vroeg om deze bevestiging.
"""
        + _END,
    ),
}
