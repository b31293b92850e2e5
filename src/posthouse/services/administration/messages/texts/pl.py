"""The server messages in Polish."""

from __future__ import annotations

from typing import Final

_RECIPIENTS = """\
{% for each in recipients %}
  {{ each.address }}
{% if each.wanted %}
    (wiadomość wysłano na {{ each.wanted }})
{% endif %}
{% if each.kind == "unknown" %}
    Adres nie jest tam znany.
{% elif each.kind == "full" %}
    Skrzynka jest pełna.
{% elif each.kind == "large" %}
    Wiadomość jest zbyt duża.
{% elif each.kind == "silent" %}
    System odbiorcy nie odpowiedział.
{% elif each.kind == "refused" %}
    System odbiorcy odrzucił wiadomość zgodnie ze swoimi regułami.
{% endif %}
{% if each.reply %}
    {{ each.host or "Przyczyna" }}: {{ each.reply }}
{% endif %}
{% if each.until %}
    Próby doręczenia potrwają do {{ each.until }}.
{% endif %}

{% endfor %}
"""
_END = """\

Wiadomość nadeszła {{ arrived }}.
Do tego raportu dołączono {{ "ją" if whole else "jej nagłówek" }}.
"""
_DONE_BY = """\
{{ at }}, przez {{ by }}{{ " z " if client else "" }}{{ client }}
"""

TEXTS: Final = {
    "welcome": (
        "Witamy w {{ title }}",
        """\
Dzień dobry {{ name }},

skrzynka {{ address }} jest gotowa.{% if quota %} Mieści do {{ quota }} poczty.{% endif %}


Aby czytać pocztę w programie pocztowym, proszę podać {{ address }} jako nazwę użytkownika oraz {{ hostname }} jako \
serwer poczty przychodzącej i wychodzącej.

Pytania proszę kierować na adres {{ postmaster }}.
""",
    ),
    "quota-warning": (
        "Skrzynka jest zapełniona w {{ percent }} %",
        """\
Dzień dobry {{ name }},

skrzynka {{ address }} zawiera {{ used }}{% if quota %} z {{ quota }}{% endif %} (liczba wiadomości: {{ messages }}) i \
jest zapełniona w ponad {{ percent }} %. Gdy będzie pełna, nowa poczta nie będzie przyjmowana.

Prosimy usunąć to, co nie jest już potrzebne, i opróżnić kosz.
""",
    ),
    "quota-full": (
        "Skrzynka jest pełna",
        """\
Dzień dobry {{ name }},

skrzynka {{ address }} jest pełna: zawiera {{ used }}{% if quota %} z {{ quota }}{% endif %} (liczba wiadomości: \
{{ messages }}). Nowa poczta jest odrzucana, a nadawcy są o tym powiadamiani.

Prosimy usunąć to, co nie jest już potrzebne, i opróżnić kosz.
""",
    ),
    "account-held": (
        "Konto {{ account }} usunięto; jest przechowywane do {{ until }}",
        """\
Konto {{ account }} zostało usunięte:

"""
        + _DONE_BY
        + """\

Jego poczta pozostanie do {{ until }}, a potem zostanie zniszczona. Do tego czasu administrator może je przywrócić.
""",
    ),
    "password-changed": (
        "Hasło zostało zmienione",
        """\
Dzień dobry {{ name }},

hasło konta {{ address }} zostało zmienione:

"""
        + _DONE_BY
        + """\

Jeśli nie była to Państwa zmiana ani nikogo na Państwa prośbę, prosimy natychmiast napisać na adres {{ postmaster }}.
""",
    ),
    "second-factor-changed": (
        "{% if change == 'on' %}Konto jest teraz chronione drugim składnikiem{% elif change == 'off' %}Konto nie ma \
już drugiego składnika{% else %}Drugi składnik konta został zmieniony{% endif %}",
        """\
Dzień dobry {{ name }},

{% if change == "on" %}
od teraz logowanie jako {{ address }} wymaga oprócz hasła drugiego składnika:
{% elif change == "off" %}
od teraz do zalogowania jako {{ address }} wystarczy samo hasło:
{% else %}
drugi składnik konta {{ address }} został zmieniony:
{% endif %}

"""
        + _DONE_BY
        + """\

Jeśli nie była to Państwa zmiana ani nikogo na Państwa prośbę, prosimy natychmiast napisać na adres {{ postmaster }}.
""",
    ),
    "app-password-added": (
        "Nowe hasło aplikacji: {{ label }}",
        """\
Dzień dobry {{ name }},

utworzono hasło aplikacji o nazwie „{{ label }}” dla konta {{ address }}{% if expires %}; działa do {{ expires }}\
{% endif %}:

"""
        + _DONE_BY
        + """\

Kto je zna, może czytać Państwa pocztę. Jeśli nie była to Państwa zmiana ani nikogo na Państwa prośbę, prosimy \
natychmiast napisać na adres {{ postmaster }}.
""",
    ),
    "sign-in-ban": (
        "Ktoś próbował odgadnąć hasło",
        """\
Dzień dobry {{ name }},

ktoś z {{ network }} próbował wielu błędnych haseł do konta {{ address }}. Stamtąd nikt nie zaloguje się na to konto \
do {{ until }}. Nikt nie uzyskał dostępu i nie trzeba nic robić.

Jeśli był to Państwa program ze starym hasłem, prosimy je w nim poprawić. Jeśli hasło jest krótkie lub używane także \
gdzie indziej, prosimy wybrać lepsze.
""",
    ),
    "daily-summary": (
        "Raport z dnia {{ day }} z {{ hostname }}",
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
        "Nie udało się doręczyć wiadomości",
        """\
To jest system pocztowy {{ hostname }}.

Wiadomości nie udało się doręczyć do:

"""
        + _RECIPIENTS
        + """\
Dalszych prób nie będzie. To, co można zrobić, zależy od przyczyny podanej wyżej; jeśli chodzi o nieznany adres, \
prosimy sprawdzić jego pisownię.
"""
        + _END,
    ),
    "delivery-delayed": (
        "Wiadomość jest opóźniona",
        """\
To jest system pocztowy {{ hostname }}.

Wiadomości nie doręczono jeszcze do:

"""
        + _RECIPIENTS
        + """\
Nie trzeba nic robić: próby doręczenia będą ponawiane. Prosimy nie wysyłać wiadomości jeszcze raz.
"""
        + _END,
    ),
    "delivery-confirmed": (
        "Wiadomość została doręczona",
        """\
To jest system pocztowy {{ hostname }}.

Wiadomość została doręczona lub przekazana do systemu, który może nie potwierdzić doręczenia, dla:

"""
        + _RECIPIENTS
        + """\
Nie trzeba nic robić. O to potwierdzenie poproszono przy wysyłce.
"""
        + _END,
    ),
}
