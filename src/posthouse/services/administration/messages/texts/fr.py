"""The server messages in French."""

from __future__ import annotations

from typing import Final

_RECIPIENTS = """\
{% for each in recipients %}
  {{ each.address }}
{% if each.wanted %}
    (vous avez écrit à {{ each.wanted }})
{% endif %}
{% if each.kind == "unknown" %}
    L'adresse y est inconnue.
{% elif each.kind == "full" %}
    La boîte aux lettres est pleine.
{% elif each.kind == "large" %}
    Le message est trop volumineux.
{% elif each.kind == "silent" %}
    Le système du destinataire n'a pas répondu.
{% elif each.kind == "refused" %}
    Le système du destinataire a refusé le message selon ses règles.
{% endif %}
{% if each.reply %}
    {{ each.host or "La raison" }} : {{ each.reply }}
{% endif %}
{% if each.until %}
    La remise sera tentée jusqu'au {{ each.until }}.
{% endif %}

{% endfor %}
"""
_END = """\

Le message est arrivé le {{ arrived }}.
{{ "Il" if whole else "Son en-tête" }} est joint à ce rapport.
"""
_DONE_BY = """\
{{ at }}, par {{ by }}{{ " depuis " if client else "" }}{{ client }}
"""

TEXTS: Final = {
    "welcome": (
        "Bienvenue chez {{ title }}",
        """\
Bonjour {{ name }},

votre boîte aux lettres {{ address }} est prête.{% if quota %} Elle contient jusqu'à {{ quota }} de courrier.{% endif %}


Pour lire votre courrier dans un logiciel de messagerie, indiquez {{ address }} comme nom d'utilisateur et \
{{ hostname }} comme serveur de réception et d'envoi.

Si vous avez des questions, écrivez à {{ postmaster }}.
""",
    ),
    "quota-warning": (
        "Votre boîte aux lettres est pleine à {{ percent }} %",
        """\
Bonjour {{ name }},

votre boîte aux lettres {{ address }} contient {{ used }}{% if quota %} sur {{ quota }}{% endif %} en {{ messages }} \
messages ; elle est pleine à plus de {{ percent }} %. Une fois pleine, elle n'acceptera plus de courrier pour vous.

Veuillez supprimer ce dont vous n'avez plus besoin et vider la corbeille.
""",
    ),
    "quota-full": (
        "Votre boîte aux lettres est pleine",
        """\
Bonjour {{ name }},

votre boîte aux lettres {{ address }} est pleine : elle contient {{ used }}{% if quota %} sur {{ quota }}{% endif %} \
en {{ messages }} messages. Le courrier pour vous est refusé, et ses expéditeurs en sont avertis.

Veuillez supprimer ce dont vous n'avez plus besoin et vider la corbeille.
""",
    ),
    "account-held": (
        "{{ account }} a été supprimé et est conservé jusqu'au {{ until }}",
        """\
Le compte {{ account }} a été supprimé :

"""
        + _DONE_BY
        + """\

Son courrier est conservé jusqu'au {{ until }}, puis détruit. D'ici là, un administrateur peut annuler la suppression.
""",
    ),
    "password-changed": (
        "Votre mot de passe a été modifié",
        """\
Bonjour {{ name }},

le mot de passe de {{ address }} a été modifié :

"""
        + _DONE_BY
        + """\

Si ce n'était ni vous ni quelqu'un à votre demande, écrivez immédiatement à {{ postmaster }}.
""",
    ),
    "second-factor-changed": (
        "{% if change == 'on' %}Un second facteur protège désormais votre compte{% elif change == 'off' %}Votre compte \
n'a plus de second facteur{% else %}Le second facteur de votre compte a été modifié{% endif %}",
        """\
Bonjour {{ name }},

{% if change == "on" %}
désormais, la connexion à {{ address }} demande un second facteur en plus du mot de passe :
{% elif change == "off" %}
désormais, le mot de passe seul suffit pour se connecter à {{ address }} :
{% else %}
le second facteur de {{ address }} a été modifié :
{% endif %}

"""
        + _DONE_BY
        + """\

Si ce n'était ni vous ni quelqu'un à votre demande, écrivez immédiatement à {{ postmaster }}.
""",
    ),
    "app-password-added": (
        "Un nouveau mot de passe d'application : {{ label }}",
        """\
Bonjour {{ name }},

un mot de passe d'application nommé « {{ label }} » a été créé pour {{ address }}{% if expires %} ; il est valable \
jusqu'au {{ expires }}{% endif %} :

"""
        + _DONE_BY
        + """\

Quiconque le possède peut lire votre courrier. Si ce n'était ni vous ni quelqu'un à votre demande, écrivez \
immédiatement à {{ postmaster }}.
""",
    ),
    "sign-in-ban": (
        "Quelqu'un a essayé de deviner votre mot de passe",
        """\
Bonjour {{ name }},

quelqu'un depuis {{ network }} a essayé de nombreux mots de passe erronés pour {{ address }}. De là, personne ne peut \
se connecter à votre place jusqu'au {{ until }}. Personne n'est entré, et vous n'avez rien à faire.

Si c'était l'un de vos logiciels avec un ancien mot de passe, corrigez-le. Si votre mot de passe est court ou sert \
ailleurs, choisissez-en un meilleur.
""",
    ),
    "daily-summary": (
        "Rapport du {{ day }} de {{ hostname }}",
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
        "Votre message n'a pas pu être remis",
        """\
Ceci est le système de messagerie de {{ hostname }}.

Votre message n'a pas pu être remis à :

"""
        + _RECIPIENTS
        + """\
Aucune autre tentative ne sera faite. Ce que vous pouvez faire dépend de la raison ci-dessus ; s'il s'agit d'une \
adresse inconnue, vérifiez son orthographe.
"""
        + _END,
    ),
    "delivery-delayed": (
        "Votre message est retardé",
        """\
Ceci est le système de messagerie de {{ hostname }}.

Votre message n'a pas encore pu être remis à :

"""
        + _RECIPIENTS
        + """\
Vous n'avez rien à faire : la remise sera tentée à nouveau d'elle-même. Merci de ne pas renvoyer le message.
"""
        + _END,
    ),
    "delivery-confirmed": (
        "Votre message a été remis",
        """\
Ceci est le système de messagerie de {{ hostname }}.

Votre message a été remis, ou transmis à un système qui ne confirme peut-être pas la remise, pour :

"""
        + _RECIPIENTS
        + """\
Vous n'avez rien à faire. Vous aviez demandé cette confirmation.
"""
        + _END,
    ),
}
