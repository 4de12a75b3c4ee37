"""Everything that a screen draws with, in one place: `from core.ui import parts`."""

from core.data.in_words import number_text

from .curves import smooth
from .dialogs import confirm, key_legend
from .errors import Repair, guard, show_error
from .figures import basis, figure_html, number, percent, points, table, tile, verdict_badge, verdict_html
from .findings import finding_card, in_order
from .forms import FormResult, fill, form, sentence, validate
from .glossary import term
from .live_chart import Marker, Trace, live_chart
from .markup import plain
from .page import Step, journey_rail, needs, page_header
from .tokens import TokenPiece, token_strip

__all__ = [
    "FormResult", "Marker", "Repair", "Step", "TokenPiece", "Trace", "basis", "confirm", "figure_html", "fill",
    "finding_card", "form", "guard", "in_order", "journey_rail", "key_legend", "live_chart", "needs", "number", "number_text",
    "page_header", "percent", "plain", "points", "sentence", "show_error", "smooth", "table", "term", "tile", "token_strip",
    "validate", "verdict_badge", "verdict_html",
]  # fmt: skip
