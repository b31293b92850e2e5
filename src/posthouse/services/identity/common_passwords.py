"""The commonest passwords in the world, folded; a password that is one of them is guessed in the first minutes.

A short list for every server; longer ones are files of the administrator's (``auth.password_dictionary``,
``auth.password_breached_file``). Tests: ``tests/unit/services/identity/test_password_policy.py``.
"""

from __future__ import annotations

from typing import Final

_WORDS: Final = """
!qaz2wsx 000000 111111 112233 121212 123123 12345 123456 1234567 12345678 123456789 1234567890 1q2w3e4r
1q2w3e4r5t 1qaz2wsx 654321 666666 987654321 a1b2c3d4 aa123456 aaaaaa abc123 abcd1234 abcdef abcdefgh access
adgangskode admin administrator andrew angel arsenal asd123 asdasd asdfgh asdfghjkl ashley autumn azerty
azertyuiop babygirl bailey banana barcelona baseball basketball batman bayern berlin biteme blink182 bonjour
brasil business buster celtic changeme charlie cheese chelsea chocolat ciao company computer contrasena
contraseña cookie corvette daniel default deutschland diamond doudou dragon email eminem everton facebook
ferrari ficken flower football fortnite freedom freepass friday fussball geheim ginger golden google guest hallo
hallo123 hamburg harley haslo hello hello123 herbst heslo hockey hola hunter iloveyou internet jelszo jennifer
jessica jesus jordan joshua juventus killer letmein linkedin liverpool login london losenord loulou love lovely
lucky lösenord maggie mail mailserver manchester marseille master matrix matthew mercedes merlin metallica
michael michelle minecraft monday monkey motdepasse mustang naruto nicole nirvana nothing office orange p@ssw0rd
p@ssword pa$$word parol parola passord passw0rd password password1 passwort passwort1 pepper phoenix pokemon
polska porsche postmaster princess privet purple q1w2e3r4 qazwsx qazwsxedc qwe123 qweqwe qwerty qwerty123
qwertyuiop qwertz qwertzuiop ranger rangers realmadrid robert root salasana samsung schalke schatz secret senha
server shadow sifre silver slipknot soccer soleil sommer spiderman spring starwars summer sunshine superman
tequiero test tester testing thomas thunder tigger toor trustno1 user wachtwoord welcome welkom whatever winter
winterzeit yamaha yellow yxcvbnm zaq12wsx zxc123 zxcvbn zxcvbnm
"""
COMMON_PASSWORDS: Final = frozenset(_WORDS.split())
