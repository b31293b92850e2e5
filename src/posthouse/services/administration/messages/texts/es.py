"""The server messages in Spanish."""

from __future__ import annotations

from typing import Final

_RECIPIENTS = """\
{% for each in recipients %}
  {{ each.address }}
{% if each.wanted %}
    (usted escribió a {{ each.wanted }})
{% endif %}
{% if each.kind == "unknown" %}
    Allí no se conoce la dirección.
{% elif each.kind == "full" %}
    El buzón está lleno.
{% elif each.kind == "large" %}
    El mensaje es demasiado grande.
{% elif each.kind == "silent" %}
    El sistema del destinatario no respondió.
{% elif each.kind == "refused" %}
    El sistema del destinatario rechazó el mensaje según sus reglas.
{% endif %}
{% if each.reply %}
    {{ each.host or "El motivo" }}: {{ each.reply }}
{% endif %}
{% if each.until %}
    Se intentará la entrega hasta {{ each.until }}.
{% endif %}

{% endfor %}
"""
_END = """\

El mensaje llegó el {{ arrived }}.
{{ "Va" if whole else "Su cabecera va" }} adjunto a este informe.
"""
_DONE_BY = """\
{{ at }}, por {{ by }}{{ " desde " if client else "" }}{{ client }}
"""

TEXTS: Final = {
    "welcome": (
        "Bienvenido a {{ title }}",
        """\
Hola, {{ name }}:

su buzón {{ address }} está listo.{% if quota %} Puede guardar hasta {{ quota }} de correo.{% endif %}


Para leer su correo en un programa de correo, indique {{ address }} como nombre de usuario y {{ hostname }} como \
servidor de correo entrante y saliente.

Si tiene preguntas, escriba a {{ postmaster }}.
""",
    ),
    "quota-warning": (
        "Su buzón está lleno al {{ percent }} %",
        """\
Hola, {{ name }}:

su buzón {{ address }} contiene {{ used }}{% if quota %} de {{ quota }}{% endif %} en {{ messages }} mensajes y está \
lleno en más del {{ percent }} %. Cuando esté lleno, no se aceptará más correo para usted.

Borre lo que ya no necesite y vacíe la papelera.
""",
    ),
    "quota-full": (
        "Su buzón está lleno",
        """\
Hola, {{ name }}:

su buzón {{ address }} está lleno: contiene {{ used }}{% if quota %} de {{ quota }}{% endif %} en {{ messages }} \
mensajes. El correo dirigido a usted se rechaza, y sus remitentes son informados de ello.

Borre lo que ya no necesite y vacíe la papelera.
""",
    ),
    "account-held": (
        "{{ account }} se eliminó y se conserva hasta {{ until }}",
        """\
La cuenta {{ account }} se eliminó:

"""
        + _DONE_BY
        + """\

Su correo se conserva hasta {{ until }}; después se destruye. Hasta entonces un administrador puede restaurarla.
""",
    ),
    "password-changed": (
        "Su contraseña ha cambiado",
        """\
Hola, {{ name }}:

la contraseña de {{ address }} ha cambiado:

"""
        + _DONE_BY
        + """\

Si no fue usted ni alguien a quien se lo pidió, escriba enseguida a {{ postmaster }}.
""",
    ),
    "second-factor-changed": (
        "{% if change == 'on' %}Un segundo factor protege ahora su cuenta{% elif change == 'off' %}Su cuenta ya no \
tiene segundo factor{% else %}El segundo factor de su cuenta ha cambiado{% endif %}",
        """\
Hola, {{ name }}:

{% if change == "on" %}
desde ahora, iniciar sesión como {{ address }} exige un segundo factor además de la contraseña:
{% elif change == "off" %}
desde ahora, basta la contraseña para iniciar sesión como {{ address }}:
{% else %}
el segundo factor de {{ address }} ha cambiado:
{% endif %}

"""
        + _DONE_BY
        + """\

Si no fue usted ni alguien a quien se lo pidió, escriba enseguida a {{ postmaster }}.
""",
    ),
    "app-password-added": (
        "Una nueva contraseña de aplicación: {{ label }}",
        """\
Hola, {{ name }}:

se creó una contraseña de aplicación llamada «{{ label }}» para {{ address }}{% if expires %}; vale hasta \
{{ expires }}{% endif %}:

"""
        + _DONE_BY
        + """\

Quien la tenga puede leer su correo. Si no fue usted ni alguien a quien se lo pidió, escriba enseguida a \
{{ postmaster }}.
""",
    ),
    "sign-in-ban": (
        "Alguien intentó adivinar su contraseña",
        """\
Hola, {{ name }}:

alguien desde {{ network }} probó muchas contraseñas equivocadas para {{ address }}. Desde allí nadie puede iniciar \
sesión como usted hasta {{ until }}. Nadie ha entrado, y usted no tiene que hacer nada.

Si fue un programa suyo con una contraseña antigua, corríjala en él. Si su contraseña es corta o la usa en otro sitio, \
elija una mejor.
""",
    ),
    "daily-summary": (
        "Informe del {{ day }} de {{ hostname }}",
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
        "Su mensaje no pudo entregarse",
        """\
Este es el sistema de correo de {{ hostname }}.

Su mensaje no pudo entregarse a:

"""
        + _RECIPIENTS
        + """\
No se volverá a intentar. Lo que usted puede hacer depende del motivo indicado; si se trata de una dirección \
desconocida, compruebe cómo está escrita.
"""
        + _END,
    ),
    "delivery-delayed": (
        "Su mensaje se retrasa",
        """\
Este es el sistema de correo de {{ hostname }}.

Su mensaje todavía no se ha entregado a:

"""
        + _RECIPIENTS
        + """\
No tiene que hacer nada: la entrega se vuelve a intentar por sí sola. Por favor, no envíe el mensaje otra vez.
"""
        + _END,
    ),
    "delivery-confirmed": (
        "Su mensaje fue entregado",
        """\
Este es el sistema de correo de {{ hostname }}.

Su mensaje fue entregado, o pasado a un sistema que quizá no confirme la entrega, para:

"""
        + _RECIPIENTS
        + """\
No tiene que hacer nada. Usted pidió esta confirmación.
"""
        + _END,
    ),
}
