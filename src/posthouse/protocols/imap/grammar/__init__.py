"""The grammar of RFC 3501 §9 and its extensions, one production per function.

Every production takes the octets of one command and a place in them, and returns its value and the place after it.
It raises SyntaxFault with the place of the first octet that cannot continue it. Regular expressions have no
alternatives that overlap, so each octet is looked at a bounded number of times.
"""
