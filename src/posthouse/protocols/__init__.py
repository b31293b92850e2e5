"""Protocols as state machines over octets, server and client side: no socket, no clock, no store (ADR 0001).

SMTP with LMTP, IMAP, POP3, and SASL, which all of them share; otherwise they do not lean on each other.
"""
