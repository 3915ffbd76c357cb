"""Activities of the demo's open deals: calls and meetings that were held, and a next step of most deals."""

import datetime
from collections.abc import Sequence
from random import Random
from typing import Any

from crm_project.accounts.actors import Actor
from crm_project.activities.services import create_activities
from crm_project.setup.demo.deals import DAY, DealCourse

# The newest open deals alone: the demo of a million deals needs no more.
MOST_DEALS = 300
HELD = [
    ("call", "Premier échange, budget à confirmer"),
    ("call", "Rappel : intéressé, attend le devis"),
    ("meeting", "Démonstration au siège"),
    ("email", "Devis envoyé"),
    ("note", "Préfère être appelé le matin"),
]
PLANNED = [
    ("call", "Relancer sur le devis"),
    ("task", "Préparer la proposition"),
    ("meeting", "Présentation au comité"),
    ("email", "Envoyer les références"),
]


def create_demo_activities(courses: Sequence[DealCourse], seed: str, at: datetime.datetime) -> None:
    """`courses` are those that have not ended, some of which have a deal in the trash; `at` is the demo's present."""
    rng, by_owner = Random(seed), dict[int, tuple[Actor, list[dict[str, Any]]]]()
    living = [course for course in courses if course.deal and course.deal.deleted_at is None]
    for course in living[-MOST_DEALS:]:
        _, changes = by_owner.setdefault(course.owner.member.pk, (course.owner, []))
        changes += _of_deal(course, rng, at)
    for actor, changes in by_owner.values():
        create_activities(actor=actor, changes=changes)


def _of_deal(course: DealCourse, rng: Random, at: datetime.datetime) -> list[dict[str, Any]]:
    deal: Any = course.deal
    about = {"deal": deal.pk, "contact": deal.contact_id, "owner": course.owner.member.pk}
    held = [
        {**about, "type": kind, "subject": subject, "done_at": at - rng.uniform(1, 20) * DAY}
        for kind, subject in rng.sample(HELD, rng.randint(1, 2))
    ]
    if rng.random() < 0.2:
        return held
    kind, subject = rng.choice(PLANNED)
    day = at.date() + rng.randint(-3, 14) * DAY
    due: dict[str, Any] = {"due_on": day}
    if kind == "meeting":
        due = {"due_at": datetime.datetime.combine(day, datetime.time(rng.randint(8, 16)), datetime.UTC)}
    return [*held, {**about, "type": kind, "subject": subject, **due}]
