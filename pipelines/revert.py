"""Undo for pipelines and stages: there is one default pipeline, and stages are numbered without gaps."""

from collections.abc import Sequence
from typing import Any

from django.db.models import F
from django.utils.translation import gettext_noop

from crm_project.accounts.actors import Actor
from crm_project.changes import ChangeSet
from crm_project.errors import Conflict, FieldError
from crm_project.journal.catalogue import CatalogueUndoer
from crm_project.journal.undo_conflicts import conflict
from crm_project.records.locks import for_update
from crm_project.records.writing.store import Draft
from pipelines.hooks import hooks
from pipelines.models import Pipeline, Stage
from pipelines.services import ASIDE


class PipelineUndoer(CatalogueUndoer):
    def check(self, actor: Actor, live: Sequence[Draft], trashed: Sequence[Draft]) -> None:
        ids = [draft.row.pk for draft in [*live, *trashed]]
        defaults = [draft for draft in live if draft.row.is_default]
        others = Pipeline.objects.of(actor.organization_id).default().exclude(pk__in=ids)
        if any(draft.row.is_default for draft in trashed) or (defaults and others.exists()):
            raise Conflict(
                "The default pipeline cannot be removed. Make another one the default first.",
                code="is_default",
            )

    def write(self, changes: ChangeSet, actor: Actor, drafts: Sequence[Draft]) -> list[Draft]:
        # The old default is written before the new one: a constraint allows one default at a time.
        return super().write(changes, actor, sorted(drafts, key=lambda draft: draft.row.is_default))


class StageUndoer(CatalogueUndoer):
    def check(self, actor: Actor, live: Sequence[Draft], trashed: Sequence[Draft]) -> None:
        pipelines = {draft.row.pipeline_id for draft in live}
        if Pipeline.objects.filter(pk__in=pipelines).exclude(deleted_at=None).exists():
            raise conflict([FieldError("pipeline", "gone", "The stage's pipeline is in the trash.")])
        leaving = [draft.row.pk for draft in trashed]
        leaving += [draft.row.pk for draft in live if draft.before["kind"] != draft.row.kind]
        if leaving and (uses := hooks.count_uses(actor, leaving)):
            raise uses.conflict(gettext_noop("It has %(uses)s."))

    def write(self, changes: ChangeSet, actor: Actor, drafts: Sequence[Draft]) -> list[Draft]:
        drafts_and_siblings = [*drafts, *_siblings(drafts)]
        _number(drafts_and_siblings)
        moving = [
            draft.row.pk for draft in drafts_and_siblings if draft.row.position != draft.before["position"]
        ]
        # Positions are unique after each statement, so stages that move get positions out of the way first.
        Stage.objects.filter(pk__in=moving, position__isnull=False).update(position=F("position") + ASIDE)
        touched = super().write(changes, actor, drafts_and_siblings)
        reweighted = [draft.row.pk for draft in touched if "probability" in draft.changed]
        if reweighted:
            hooks.after_probability(reweighted)
        return touched


def _siblings(drafts: Sequence[Draft]) -> list[Draft]:
    """The other live stages of the same pipelines, whose positions close the gaps."""
    pipelines = {draft.row.pipeline_id for draft in drafts}
    rows: Any = Stage.objects.filter(pipeline__in=pipelines).live()
    return [Draft.of(row) for row in for_update(rows.exclude(pk__in=[draft.row.pk for draft in drafts]))]


def _number(drafts: Sequence[Draft]) -> None:
    """Number each pipeline's live stages by the positions of their drafts; earlier drafts first."""
    counts: dict[int, int] = {}
    for draft in drafts:
        if draft.row.deleted_at is not None:
            draft.row.position = None
    live = [draft for draft in drafts if draft.row.position is not None]
    for draft in sorted(live, key=lambda draft: draft.row.position):
        draft.row.position = counts.setdefault(draft.row.pipeline_id, 0)
        counts[draft.row.pipeline_id] += 1
