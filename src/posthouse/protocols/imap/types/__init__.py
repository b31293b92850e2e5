"""The values of IMAP: what a command says, without how it was written. No parsing of commands here."""
