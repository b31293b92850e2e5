"""The directory and the settings as one readable state: written to a file, compared with one, and brought to it.

``kinds`` says what objects there are and what belongs to each; ``current`` reads them from the store; ``document`` is
the form of the file; ``plan`` finds what differs and turns that into values for one commit. The same machinery takes
back single changes from the audit log (``undo``). Mail, sign-ins and credentials beside the password are not state.
"""
