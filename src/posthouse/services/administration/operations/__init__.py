"""Every operation, one file per noun; ``catalogue`` finds them.

An operation checks what a person wrote (``words``), reads what is there, and makes one ``call.commit``. Its docstring
is what people read in the command's help and in the API's description.
"""
