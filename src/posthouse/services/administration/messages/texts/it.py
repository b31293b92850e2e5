"""The server messages in Italian."""

from __future__ import annotations

from typing import Final

_RECIPIENTS = """\
{% for each in recipients %}
  {{ each.address }}
{% if each.wanted %}
    (ha scritto a {{ each.wanted }})
{% endif %}
{% if each.kind == "unknown" %}
    L'indirizzo là non è conosciuto.
{% elif each.kind == "full" %}
    La casella è piena.
{% elif each.kind == "large" %}
    Il messaggio è troppo grande.
{% elif each.kind == "silent" %}
    Il sistema del destinatario non ha risposto.
{% elif each.kind == "refused" %}
    Il sistema del destinatario ha rifiutato il messaggio secondo le sue regole.
{% endif %}
{% if each.reply %}
    {{ each.host or "Il motivo" }}: {{ each.reply }}
{% endif %}
{% if each.until %}
    La consegna sarà tentata fino a {{ each.until }}.
{% endif %}

{% endfor %}
"""
_END = """\

Il messaggio è arrivato il {{ arrived }}.
{{ "È allegato" if whole else "La sua intestazione è allegata" }} a questo rapporto.
"""
_DONE_BY = """\
{{ at }}, da {{ by }}{{ " all'indirizzo " if client else "" }}{{ client }}
"""

TEXTS: Final = {
    "welcome": (
        "Benvenuti su {{ title }}",
        """\
Buongiorno {{ name }},

la Sua casella {{ address }} è pronta.{% if quota %} Può contenere fino a {{ quota }} di posta.{% endif %}


Per leggere la posta in un programma di posta, indichi {{ address }} come nome utente e {{ hostname }} come server \
della posta in arrivo e in uscita.

Per domande scriva a {{ postmaster }}.
""",
    ),
    "quota-warning": (
        "La Sua casella è piena al {{ percent }} %",
        """\
Buongiorno {{ name }},

la Sua casella {{ address }} contiene {{ used }}{% if quota %} su {{ quota }}{% endif %} in {{ messages }} messaggi \
ed è piena per più del {{ percent }} %. Quando sarà piena, non si accetterà più posta per Lei.

La preghiamo di eliminare ciò che non serve più e di svuotare il cestino.
""",
    ),
    "quota-full": (
        "La Sua casella è piena",
        """\
Buongiorno {{ name }},

la Sua casella {{ address }} è piena: contiene {{ used }}{% if quota %} su {{ quota }}{% endif %} in {{ messages }} \
messaggi. La posta per Lei viene rifiutata, e i mittenti ne sono informati.

La preghiamo di eliminare ciò che non serve più e di svuotare il cestino.
""",
    ),
    "account-held": (
        "{{ account }} è stato rimosso e viene conservato fino a {{ until }}",
        """\
L'account {{ account }} è stato rimosso:

"""
        + _DONE_BY
        + """\

La sua posta resta fino a {{ until }}; poi viene distrutta. Fino ad allora un amministratore può ripristinarlo.
""",
    ),
    "password-changed": (
        "La Sua password è stata cambiata",
        """\
Buongiorno {{ name }},

la password di {{ address }} è stata cambiata:

"""
        + _DONE_BY
        + """\

Se non è stato Lei né qualcuno su Sua richiesta, scriva subito a {{ postmaster }}.
""",
    ),
    "second-factor-changed": (
        "{% if change == 'on' %}Un secondo fattore protegge ora il Suo account{% elif change == 'off' %}Il Suo account \
non ha più un secondo fattore{% else %}Il secondo fattore del Suo account è stato cambiato{% endif %}",
        """\
Buongiorno {{ name }},

{% if change == "on" %}
da ora l'accesso come {{ address }} richiede un secondo fattore oltre alla password:
{% elif change == "off" %}
da ora per accedere come {{ address }} basta la password:
{% else %}
il secondo fattore di {{ address }} è stato cambiato:
{% endif %}

"""
        + _DONE_BY
        + """\

Se non è stato Lei né qualcuno su Sua richiesta, scriva subito a {{ postmaster }}.
""",
    ),
    "app-password-added": (
        "Una nuova password per app: {{ label }}",
        """\
Buongiorno {{ name }},

è stata creata una password per app di nome «{{ label }}» per {{ address }}{% if expires %}; vale fino a {{ expires }}\
{% endif %}:

"""
        + _DONE_BY
        + """\

Chi la possiede può leggere la Sua posta. Se non è stato Lei né qualcuno su Sua richiesta, scriva subito a \
{{ postmaster }}.
""",
    ),
    "sign-in-ban": (
        "Qualcuno ha tentato di indovinare la Sua password",
        """\
Buongiorno {{ name }},

qualcuno da {{ network }} ha provato molte password sbagliate per {{ address }}. Da lì nessuno può accedere come Lei \
fino a {{ until }}. Nessuno è entrato, e Lei non deve fare nulla.

Se era un Suo programma con una vecchia password, la corregga lì. Se la Sua password è corta o usata altrove, ne \
scelga una migliore.
""",
    ),
    "daily-summary": (
        "Rapporto del {{ day }} da {{ hostname }}",
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
        "Il Suo messaggio non è stato consegnato",
        """\
Questo è il sistema di posta di {{ hostname }}.

Non è stato possibile consegnare il Suo messaggio a:

"""
        + _RECIPIENTS
        + """\
Non si faranno altri tentativi. Che cosa può fare dipende dal motivo indicato; se si parla di un indirizzo \
sconosciuto, ne controlli la grafia.
"""
        + _END,
    ),
    "delivery-delayed": (
        "Il Suo messaggio è in ritardo",
        """\
Questo è il sistema di posta di {{ hostname }}.

Il Suo messaggio non è ancora stato consegnato a:

"""
        + _RECIPIENTS
        + """\
Non deve fare nulla: la consegna viene ritentata automaticamente. La preghiamo di non inviare di nuovo il messaggio.
"""
        + _END,
    ),
    "delivery-confirmed": (
        "Il Suo messaggio è stato consegnato",
        """\
Questo è il sistema di posta di {{ hostname }}.

Il Suo messaggio è stato consegnato, o passato a un sistema che forse non conferma la consegna, per:

"""
        + _RECIPIENTS
        + """\
Non deve fare nulla. Ha chiesto Lei questa conferma.
"""
        + _END,
    ),
}
