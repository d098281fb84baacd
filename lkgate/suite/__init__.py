"""The recordings as test cases: what each one has, how another becomes one, what is accepted."""

from lkgate.suite.inventory import Entry, entries
from lkgate.suite.offer import Offer, accept, offers
from lkgate.suite.promotion import Promoted, promote
from lkgate.suite.signature import Signature, sign

__all__ = [
    "Entry",
    "Offer",
    "Promoted",
    "Signature",
    "accept",
    "entries",
    "offers",
    "promote",
    "sign",
]
