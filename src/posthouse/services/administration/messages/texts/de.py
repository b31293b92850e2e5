"""The server messages in German."""

from __future__ import annotations

from typing import Final

_RECIPIENTS = """\
{% for each in recipients %}
  {{ each.address }}
{% if each.wanted %}
    (Sie schrieben an {{ each.wanted }})
{% endif %}
{% if each.kind == "unknown" %}
    Die Adresse ist dort nicht bekannt.
{% elif each.kind == "full" %}
    Das Postfach ist voll.
{% elif each.kind == "large" %}
    Die Nachricht ist zu groß.
{% elif each.kind == "silent" %}
    Das System des Empfängers hat nicht geantwortet.
{% elif each.kind == "refused" %}
    Das System des Empfängers hat die Nachricht nach seinen Regeln abgelehnt.
{% endif %}
{% if each.reply %}
    {{ each.host or "Der Grund" }}: {{ each.reply }}
{% endif %}
{% if each.until %}
    Die Zustellung wird bis {{ each.until }} versucht.
{% endif %}

{% endfor %}
"""
_END = """\

Die Nachricht ist am {{ arrived }} eingegangen.
{{ "Sie" if whole else "Ihr Kopf" }} ist diesem Bericht beigefügt.
"""
_DONE_BY = """\
{{ at }}, durch {{ by }}{{ " von " if client else "" }}{{ client }}
"""

TEXTS: Final = {
    "welcome": (
        "Willkommen bei {{ title }}",
        """\
Guten Tag {{ name }},

Ihr Postfach {{ address }} ist bereit.{% if quota %} Es fasst bis zu {{ quota }} an Nachrichten.{% endif %}


Um Ihre Nachrichten in einem Mailprogramm zu lesen, geben Sie {{ address }} als Benutzernamen und {{ hostname }} als \
Server für ein- und ausgehende Nachrichten an.

Fragen richten Sie bitte an {{ postmaster }}.
""",
    ),
    "quota-warning": (
        "Ihr Postfach ist zu {{ percent }} % voll",
        """\
Guten Tag {{ name }},

Ihr Postfach {{ address }} enthält {{ used }}{% if quota %} von {{ quota }}{% endif %} in {{ messages }} Nachrichten \
und ist zu mehr als {{ percent }} % voll. Ist es ganz voll, werden keine Nachrichten mehr für Sie angenommen.

Bitte löschen Sie, was Sie nicht mehr brauchen, und leeren Sie den Papierkorb.
""",
    ),
    "quota-full": (
        "Ihr Postfach ist voll",
        """\
Guten Tag {{ name }},

Ihr Postfach {{ address }} ist voll: es enthält {{ used }}{% if quota %} von {{ quota }}{% endif %} in {{ messages }} \
Nachrichten. Nachrichten an Sie werden abgelehnt, und ihre Absender erfahren das.

Bitte löschen Sie, was Sie nicht mehr brauchen, und leeren Sie den Papierkorb.
""",
    ),
    "account-held": (
        "{{ account }} wurde entfernt und wird bis {{ until }} aufbewahrt",
        """\
Das Konto {{ account }} wurde entfernt:

"""
        + _DONE_BY
        + """\

Seine Nachrichten bleiben bis {{ until }} erhalten und werden dann gelöscht. Bis dahin kann ein Verwalter es \
wiederherstellen.
""",
    ),
    "password-changed": (
        "Ihr Passwort wurde geändert",
        """\
Guten Tag {{ name }},

das Passwort von {{ address }} wurde geändert:

"""
        + _DONE_BY
        + """\

Wenn das weder Sie waren noch jemand in Ihrem Auftrag, schreiben Sie bitte sofort an {{ postmaster }}.
""",
    ),
    "second-factor-changed": (
        "{% if change == 'on' %}Ein zweiter Faktor schützt jetzt Ihr Konto{% elif change == 'off' %}Ihr Konto hat \
keinen zweiten Faktor mehr{% else %}Der zweite Faktor Ihres Kontos wurde geändert{% endif %}",
        """\
Guten Tag {{ name }},

{% if change == "on" %}
ab jetzt braucht die Anmeldung als {{ address }} neben dem Passwort einen zweiten Faktor:
{% elif change == "off" %}
ab jetzt genügt zur Anmeldung als {{ address }} das Passwort allein:
{% else %}
der zweite Faktor von {{ address }} wurde geändert:
{% endif %}

"""
        + _DONE_BY
        + """\

Wenn das weder Sie waren noch jemand in Ihrem Auftrag, schreiben Sie bitte sofort an {{ postmaster }}.
""",
    ),
    "app-password-added": (
        "Ein neues App-Passwort: {{ label }}",
        """\
Guten Tag {{ name }},

für {{ address }} wurde ein App-Passwort mit dem Namen „{{ label }}“ angelegt{% if expires %}; es gilt bis \
{{ expires }}{% endif %}:

"""
        + _DONE_BY
        + """\

Wer es hat, kann Ihre Nachrichten lesen. Wenn das weder Sie waren noch jemand in Ihrem Auftrag, schreiben Sie bitte \
sofort an {{ postmaster }}.
""",
    ),
    "sign-in-ban": (
        "Jemand wollte Ihr Passwort erraten",
        """\
Guten Tag {{ name }},

jemand aus {{ network }} hat viele falsche Passwörter für {{ address }} versucht. Von dort kann sich bis {{ until }} \
niemand als Sie anmelden. Niemand ist hineingekommen, und Sie müssen nichts tun.

War es eines Ihrer Programme mit einem alten Passwort, berichtigen Sie es dort. Ist Ihr Passwort kurz oder auch \
anderswo in Gebrauch, wählen Sie ein besseres.
""",
    ),
    "daily-summary": (
        "Bericht vom {{ day }} von {{ hostname }}",
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
        "Ihre Nachricht konnte nicht zugestellt werden",
        """\
Hier ist das Mailsystem auf {{ hostname }}.

Ihre Nachricht konnte nicht zugestellt werden an:

"""
        + _RECIPIENTS
        + """\
Es wird nicht weiter versucht. Was Sie tun können, hängt vom Grund ab; ist von einer unbekannten Adresse die Rede, \
prüfen Sie die Schreibweise.
"""
        + _END,
    ),
    "delivery-delayed": (
        "Ihre Nachricht verzögert sich",
        """\
Hier ist das Mailsystem auf {{ hostname }}.

Ihre Nachricht konnte noch nicht zugestellt werden an:

"""
        + _RECIPIENTS
        + """\
Sie müssen nichts tun: die Zustellung wird von selbst wieder versucht. Bitte senden Sie die Nachricht nicht noch einmal.
"""
        + _END,
    ),
    "delivery-confirmed": (
        "Ihre Nachricht wurde zugestellt",
        """\
Hier ist das Mailsystem auf {{ hostname }}.

Ihre Nachricht wurde zugestellt oder an ein System weitergegeben, das die Zustellung vielleicht nicht bestätigt, für:

"""
        + _RECIPIENTS
        + """\
Sie müssen nichts tun. Sie hatten um diese Bestätigung gebeten.
"""
        + _END,
    ),
}
