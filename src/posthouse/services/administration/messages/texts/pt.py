"""The server messages in Portuguese."""

from __future__ import annotations

from typing import Final

_RECIPIENTS = """\
{% for each in recipients %}
  {{ each.address }}
{% if each.wanted %}
    (escreveu para {{ each.wanted }})
{% endif %}
{% if each.kind == "unknown" %}
    O endereço não é conhecido lá.
{% elif each.kind == "full" %}
    A caixa de correio está cheia.
{% elif each.kind == "large" %}
    A mensagem é demasiado grande.
{% elif each.kind == "silent" %}
    O sistema do destinatário não respondeu.
{% elif each.kind == "refused" %}
    O sistema do destinatário recusou a mensagem segundo as suas regras.
{% endif %}
{% if each.reply %}
    {{ each.host or "O motivo" }}: {{ each.reply }}
{% endif %}
{% if each.until %}
    A entrega será tentada até {{ each.until }}.
{% endif %}

{% endfor %}
"""
_END = """\

A mensagem chegou em {{ arrived }}.
{{ "Ela" if whole else "O seu cabeçalho" }} segue em anexo a este relatório.
"""
_DONE_BY = """\
{{ at }}, por {{ by }}{{ " a partir de " if client else "" }}{{ client }}
"""

TEXTS: Final = {
    "welcome": (
        "Bem-vindo a {{ title }}",
        """\
Olá {{ name }},

a sua caixa de correio {{ address }} está pronta.{% if quota %} Guarda até {{ quota }} de correio.{% endif %}


Para ler o seu correio num programa de correio, indique {{ address }} como nome de utilizador e {{ hostname }} como \
servidor de correio recebido e enviado.

Se tiver perguntas, escreva para {{ postmaster }}.
""",
    ),
    "quota-warning": (
        "A sua caixa de correio está {{ percent }} % cheia",
        """\
Olá {{ name }},

a sua caixa de correio {{ address }} contém {{ used }}{% if quota %} de {{ quota }}{% endif %} em {{ messages }} \
mensagens e está mais de {{ percent }} % cheia. Quando estiver cheia, não será aceite mais correio para si.

Apague o que já não precisa e esvazie o lixo.
""",
    ),
    "quota-full": (
        "A sua caixa de correio está cheia",
        """\
Olá {{ name }},

a sua caixa de correio {{ address }} está cheia: contém {{ used }}{% if quota %} de {{ quota }}{% endif %} em \
{{ messages }} mensagens. O correio para si está a ser recusado, e os remetentes são avisados.

Apague o que já não precisa e esvazie o lixo.
""",
    ),
    "account-held": (
        "{{ account }} foi removida e é guardada até {{ until }}",
        """\
A conta {{ account }} foi removida:

"""
        + _DONE_BY
        + """\

O seu correio é guardado até {{ until }}; depois é destruído. Até lá, um administrador pode restaurá-la.
""",
    ),
    "password-changed": (
        "A sua palavra-passe foi alterada",
        """\
Olá {{ name }},

a palavra-passe de {{ address }} foi alterada:

"""
        + _DONE_BY
        + """\

Se não foi você nem alguém a seu pedido, escreva imediatamente para {{ postmaster }}.
""",
    ),
    "second-factor-changed": (
        "{% if change == 'on' %}Um segundo fator protege agora a sua conta{% elif change == 'off' %}A sua conta já não \
tem segundo fator{% else %}O segundo fator da sua conta foi alterado{% endif %}",
        """\
Olá {{ name }},

{% if change == "on" %}
a partir de agora, entrar como {{ address }} exige um segundo fator além da palavra-passe:
{% elif change == "off" %}
a partir de agora, basta a palavra-passe para entrar como {{ address }}:
{% else %}
o segundo fator de {{ address }} foi alterado:
{% endif %}

"""
        + _DONE_BY
        + """\

Se não foi você nem alguém a seu pedido, escreva imediatamente para {{ postmaster }}.
""",
    ),
    "app-password-added": (
        "Uma nova palavra-passe de aplicação: {{ label }}",
        """\
Olá {{ name }},

foi criada uma palavra-passe de aplicação chamada «{{ label }}» para {{ address }}{% if expires %}; vale até \
{{ expires }}{% endif %}:

"""
        + _DONE_BY
        + """\

Quem a tiver pode ler o seu correio. Se não foi você nem alguém a seu pedido, escreva imediatamente para \
{{ postmaster }}.
""",
    ),
    "sign-in-ban": (
        "Alguém tentou adivinhar a sua palavra-passe",
        """\
Olá {{ name }},

alguém em {{ network }} tentou muitas palavras-passe erradas para {{ address }}. De lá ninguém pode entrar como você \
até {{ until }}. Ninguém entrou, e não precisa de fazer nada.

Se foi um programa seu com uma palavra-passe antiga, corrija-a nele. Se a sua palavra-passe é curta ou usada noutro \
lugar, escolha uma melhor.
""",
    ),
    "daily-summary": (
        "Relatório de {{ day }} de {{ hostname }}",
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
        "A sua mensagem não pôde ser entregue",
        """\
Este é o sistema de correio de {{ hostname }}.

A sua mensagem não pôde ser entregue a:

"""
        + _RECIPIENTS
        + """\
Não haverá mais tentativas. O que pode fazer depende do motivo indicado; se se trata de um endereço desconhecido, \
verifique como está escrito.
"""
        + _END,
    ),
    "delivery-delayed": (
        "A sua mensagem está atrasada",
        """\
Este é o sistema de correio de {{ hostname }}.

A sua mensagem ainda não foi entregue a:

"""
        + _RECIPIENTS
        + """\
Não precisa de fazer nada: a entrega volta a ser tentada por si. Por favor, não envie a mensagem outra vez.
"""
        + _END,
    ),
    "delivery-confirmed": (
        "A sua mensagem foi entregue",
        """\
Este é o sistema de correio de {{ hostname }}.

A sua mensagem foi entregue, ou passada a um sistema que talvez não confirme a entrega, para:

"""
        + _RECIPIENTS
        + """\
Não precisa de fazer nada. Pediu esta confirmação.
"""
        + _END,
    ),
}
