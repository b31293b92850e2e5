"""Taking out what the directory and the mailboxes hold, in forms that others read.

Everything streams: nothing here holds a whole export in memory.
Tests: ``tests/unit/services/administration/exporting``.
"""
