"""Messages that the server writes to people: what there is, in which words, and how they reach a mailbox (DI-12).

``definitions`` lists them, ``texts`` holds their words in several languages, ``template`` reads what an administrator
wrote instead, ``wordings`` chooses between them, ``compose`` makes a message of the words, ``post`` files it.
"""
