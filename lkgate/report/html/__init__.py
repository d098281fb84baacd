"""The report as one HTML file that opens from disk: verdict, reasons, calls to look at and hear.

``reasons``, ``view`` and ``rows`` turn a verdict into what is shown (pure), ``sound`` reads and
encodes audio, ``page`` puts both into the template. Texts of calls, models and gates are escaped by
the template; the page's own script and style are allowed by their digests alone.
"""

from lkgate.report.html.page import Page, number_of, policy_of, render
from lkgate.report.html.sound import Heard, hear
from lkgate.report.html.view import Sources

__all__ = ["Heard", "Page", "Sources", "hear", "number_of", "policy_of", "render"]
