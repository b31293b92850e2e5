"""The queue of remote recipients: where they go, when they are tried, who is told.

States of a recipient, and the step that commits each change::

    (none) --Delivery--> WAITING --ClaimRecipients--> leased --QueueResult--> DELIVERED | FAILED | WAITING
                         WAITING <--QueueControl--> HELD        any but leased --QueueControl--> REMOVED

A lease that ends without a result makes the recipient claimable again, so a crash repeats an attempt and loses none.
Nothing here opens a connection: that is ``services.relay``. Tests: ``tests/unit/services/queue``.
"""
