"""Pipelines to begin with, each with stages whose colours, probabilities and kinds fit, in the reader's language."""

from collections.abc import Mapping
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import pgettext_lazy

from pipelines.models import Stage

DEFAULT = "sales"
OPEN = Stage.Kinds.OPEN.value
WON = (pgettext_lazy("stage", "Won"), "#22c55e", 100, Stage.Kinds.WON.value)
LOST = (pgettext_lazy("stage", "Lost"), "#ef4444", 0, Stage.Kinds.LOST.value)
# name → (name of the pipeline, stages as (name, colour, probability, kind))
TEMPLATES: Mapping[str, tuple[Promise, tuple[tuple[Promise, str, int, str], ...]]] = {
    DEFAULT: (
        pgettext_lazy("pipeline", "Sales"),
        (
            (pgettext_lazy("stage", "New"), "#3b82f6", 10, OPEN),
            (pgettext_lazy("stage", "Qualified"), "#06b6d4", 25, OPEN),
            (pgettext_lazy("stage", "Proposal"), "#f59e0b", 50, OPEN),
            (pgettext_lazy("stage", "Negotiation"), "#f97316", 75, OPEN),
            WON,
            LOST,
        ),
    ),
    "projects": (
        pgettext_lazy("pipeline", "Quotes and projects"),
        (
            (pgettext_lazy("stage", "Enquiry"), "#3b82f6", 10, OPEN),
            (pgettext_lazy("stage", "Visit"), "#8b5cf6", 30, OPEN),
            (pgettext_lazy("stage", "Quote sent"), "#f59e0b", 50, OPEN),
            (pgettext_lazy("stage", "Agreed by word"), "#f97316", 85, OPEN),
            (pgettext_lazy("stage", "Ordered"), "#22c55e", 100, Stage.Kinds.WON.value),
            (pgettext_lazy("stage", "Declined"), "#ef4444", 0, Stage.Kinds.LOST.value),
        ),
    ),
    "subscriptions": (
        pgettext_lazy("pipeline", "Subscriptions"),
        (
            (pgettext_lazy("stage", "Lead"), "#3b82f6", 5, OPEN),
            (pgettext_lazy("stage", "Demonstration"), "#06b6d4", 25, OPEN),
            (pgettext_lazy("stage", "Trial"), "#f59e0b", 50, OPEN),
            (pgettext_lazy("stage", "Contract"), "#f97316", 80, OPEN),
            WON,
            LOST,
        ),
    ),
    "short": (
        pgettext_lazy("pipeline", "Quick sales"),
        (
            (pgettext_lazy("stage", "Request"), "#3b82f6", 20, OPEN),
            (pgettext_lazy("stage", "Offer"), "#f59e0b", 60, OPEN),
            WON,
            LOST,
        ),
    ),
}


def template(name: str) -> dict[str, Any]:
    """The change that creates the pipeline of a template."""
    title, stages = TEMPLATES[name]
    return {
        "name": str(title),
        "stages": [
            {"name": str(label), "color": color, "probability": probability, "kind": kind}
            for label, color, probability, kind in stages
        ],
    }
