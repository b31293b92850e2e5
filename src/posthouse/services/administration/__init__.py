"""Everything an administrator does, as one layer: the command line now, REST and pages later, call the same methods.

Every method checks what a person wrote, says in one line what is wrong and what to do (``faults.Refused``), and hands
the store one value. Nothing here knows terminals or HTTP. Tests: ``tests/unit/services/administration``.
"""
