"""Writes of pipelines and stages, one row at a time under the exclusive lock of the organization's catalogue."""

import datetime
from collections.abc import Callable, Sequence
from typing import Any

from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext_noop

from crm_project.accounts.actors import Actor
from crm_project.changes import ChangeSet, before_storing
from crm_project.errors import Conflict, FieldError, Invalid, refuse_fields
from crm_project.journal.models import Event
from crm_project.records import references
from crm_project.records.locks import for_update
from crm_project.records.rules import column_errors
from crm_project.records.writing import store
from crm_project.records.writing.columns import Change, RowKey, missing, rows_by_key, set_columns
from crm_project.records.writing.reference_data import (
    catalogue_writing,
    locked,
    restore_rows,
    set_references,
    trash_rows,
    trashed,
)
from crm_project.records.writing.store import Draft
from crm_project.versions import Versions
from pipelines.hooks import hooks
from pipelines.models import Pipeline, PipelineReference, Stage, StageReference
from pipelines.rules import DEFAULT_PROBABILITY, reordered, stage_errors, stages_field

PIPELINE_COLUMNS = ("name", "description", "is_default", "is_active")
STAGE_COLUMNS = (
    "name",
    "description",
    "color",
    "probability",
    "kind",
    "forecast_category",
    "stale_after_days",
)
# Added to the positions of stages that move: positions are unique after each statement.
ASIDE = 1_000_000
HIDDEN = gettext_noop("It has %(uses)s; an admin can move them.")
IN_USE = gettext_noop("It has %(uses)s; choose a stage to move them to.")
KEEPS_KIND = gettext_noop("The stage %(stage)r has %(uses)s; its kind cannot be changed.")


def create_pipeline(*, actor: Actor, change: Change) -> Pipeline:
    """Create a pipeline with its `stages`, if it names any. The first of an organization becomes the default."""
    with catalogue_writing(actor) as changes:
        first = not Pipeline.objects.of(actor.organization_id).default().exists()
        draft = Draft(Pipeline(organization_id=actor.organization_id, is_default=first))
        return _save_pipeline(changes, actor, draft, {**change, **({"is_default": True} if first else {})})


def update_pipeline(*, actor: Actor, pipeline: Pipeline, change: Change) -> Pipeline:
    """Change a pipeline. `stages`, if given, replace its stages: new ones have no id, missing ones are trashed."""
    with catalogue_writing(actor) as changes:
        draft = Draft.of(locked(Pipeline, actor, pipeline.pk, change.get("if_match")))
        references.note(PipelineReference, [draft])
        return _save_pipeline(changes, actor, draft, change)


def trash_pipeline(
    *,
    actor: Actor,
    pipeline: Pipeline,
    move_deals_to: RowKey | None = None,
    if_match: Versions | None = None,
) -> None:
    """Move a pipeline and its stages to the trash; Conflict `in_use` if they have live deals and no `move_deals_to`.

    Deals that the actor may not see are not moved: Conflict `in_use`, with `others`.
    """
    with catalogue_writing(actor) as changes:
        row = locked(Pipeline, actor, pipeline.pk, if_match)
        if row.is_default:
            raise Conflict(
                "The default pipeline cannot be removed. Make another one the default first.",
                code="is_default",
            )
        # All have the same `deleted_at`: a restore of the pipeline restores the stages with it.
        now = timezone.now()
        _trash_stages(changes, actor, list(_stages(row)), move_deals_to, now=now)
        trash_rows(changes, PipelineReference, [row], now=now)


def restore_pipeline(*, actor: Actor, pipeline: Pipeline, if_match: Versions | None = None) -> Pipeline:
    """Restore a pipeline and the stages that were trashed together with it, in their order."""
    with catalogue_writing(actor) as changes:
        now = timezone.now()
        row: Pipeline = trashed(Pipeline, actor, pipeline.pk, if_match)
        stages = for_update(Stage.objects.filter(pipeline=row, deleted_at=row.deleted_at))
        order = [Draft.of(stage) for stage in sorted(stages, key=_trashed_in_order(row))]
        for position, draft in enumerate(order):
            draft.row.position = position
        restore_rows(changes, PipelineReference, [Draft.of(row)], now=now)
        restore_rows(changes, StageReference, order, now=now)
        return row


def _trashed_in_order(pipeline: Pipeline) -> Callable[[Stage], int]:
    """A sort key: trashed stages have no position, but their events are in the order of their positions."""
    events = Event.objects.filter(organization_id=pipeline.organization_id, kind="stage", action="trashed")
    sequences = dict(events.order_by("sequence").values_list("row_id", "sequence"))
    return lambda stage: sequences.get(stage.pk, 0)


def create_stage(*, actor: Actor, change: Change) -> Stage:
    """Create a stage in `pipeline`, at `position` or last. Its `kind` is open by default."""
    with catalogue_writing(actor) as changes:
        pipelines = rows_by_key(Pipeline.objects.visible_to(actor.member), [change.get("pipeline")])
        pipeline = pipelines.get(change.get("pipeline"))
        row = Stage(organization_id=actor.organization_id, pipeline=pipeline)
        errors = _set_stage(row, change)
        refuse_fields([*errors, *([] if pipeline else [missing("pipeline")])])
        draft, order = Draft(row), [Draft.of(stage) for stage in _stages(pipeline)]
        set_references(StageReference, actor, draft, change)
        position = change.get("position")
        order.insert(len(order) if position is None else position, draft)
        _arrange(changes, actor, order)
        return row


def update_stage(*, actor: Actor, stage: Stage, change: Change) -> Stage:
    """Change a stage; `position` moves it within its pipeline."""
    with catalogue_writing(actor) as changes:
        pipeline_id = locked(Stage, actor, stage.pk, change.get("if_match")).pipeline_id
        drafts = {sibling.pk: Draft.of(sibling) for sibling in _stages(Pipeline(pk=pipeline_id))}
        draft = drafts[stage.pk]
        row: Stage = draft.row
        references.note(StageReference, [draft])
        refuse_fields(_set_stage(row, change))
        set_references(StageReference, actor, draft, change)
        _guard_kind(actor, draft)
        order = list(drafts)
        if change.get("position") is not None:
            order = reordered(order, stage.pk, change["position"])
        _arrange(changes, actor, [drafts[stage_id] for stage_id in order])
        return row


def trash_stage(
    *, actor: Actor, stage: Stage, move_deals_to: RowKey | None = None, if_match: Versions | None = None
) -> None:
    """Move a stage to the trash; Conflict `in_use` if it has live deals and no `move_deals_to`."""
    with catalogue_writing(actor) as changes:
        row = locked(Stage, actor, stage.pk, if_match)
        _trash_stages(changes, actor, [row], move_deals_to)
        _arrange(changes, actor, [Draft.of(other) for other in _stages(row.pipeline)])


def restore_stage(*, actor: Actor, stage: Stage, if_match: Versions | None = None) -> Stage:
    """Restore a stage from the trash as the last one of its pipeline."""
    with catalogue_writing(actor) as changes:
        draft = Draft.of(trashed(Stage, actor, stage.pk, if_match))
        row: Stage = draft.row
        if row.pipeline.deleted_at is not None:
            raise Conflict(
                "The stage's pipeline is in the trash; restore the pipeline first.", code="restore_conflict"
            )
        row.position = len(_stages(row.pipeline))
        restore_rows(changes, StageReference, [draft])
        return row


def _stages(pipeline: Pipeline | None) -> Any:
    return for_update(Stage.objects.filter(pipeline=pipeline).live()).order_by("position", "id")


def _save_pipeline(changes: ChangeSet, actor: Actor, draft: Draft, change: Change) -> Pipeline:
    row: Pipeline = draft.row
    was_default, now = row.is_default, timezone.now()
    errors = set_columns(row, change, PIPELINE_COLUMNS)
    if not row.name.strip() and not errors:
        errors.append(FieldError("name", "blank", "This may not be blank."))
    if draft.before and was_default and not row.is_default:
        errors.append(FieldError("is_default", "invalid", "Make another pipeline the default instead."))
    order: list[Draft] = []
    leaving: list[Stage] = []
    if "stages" in change:
        order, leaving, list_errors = _stage_drafts(draft, change["stages"])
        errors += list_errors
    refuse_fields(errors)
    set_references(PipelineReference, actor, draft, change)
    for stage in order:
        _guard_kind(actor, stage)
    _guard_use(actor, [stage.pk for stage in leaving])
    before_storing()
    if row.is_default:
        _unset_other_defaults(changes, actor, row.pk, now)
    if draft.before:
        store.update([draft], now=now)
    else:
        store.insert([draft], now=now)
    if draft.changed:
        references.write(PipelineReference, actor.organization_id, [draft])
        store.record(changes, [draft], "updated" if draft.before else "created")
    if "stages" in change:
        for stage in order:
            stage.row.pipeline = row
        trash_rows(changes, StageReference, leaving)
        _arrange(changes, actor, order)
    return row


def _unset_other_defaults(changes: ChangeSet, actor: Actor, keep: int | None, now: datetime.datetime) -> None:
    """Written before the new default: a constraint allows one default pipeline."""
    others = for_update(Pipeline.objects.of(actor.organization_id).default().exclude(pk=keep))
    drafts = [Draft.of(row) for row in others]
    for draft in drafts:
        draft.row.is_default = False
    store.record(changes, store.update(drafts, now=now), "updated")


def _stage_drafts(
    pipeline: Draft, stages: Sequence[Change]
) -> tuple[list[Draft], list[Stage], list[FieldError]]:
    """The drafts of the listed stages in their order, the stages that are not listed, and the errors."""
    existing = {row.pk: Draft.of(row) for row in (_stages(pipeline.row) if pipeline.before else ())}
    by_key = {key: draft for draft in existing.values() for key in (draft.row.pk, draft.row.uuid)}
    order, errors = [], []
    for index, change in enumerate(stages):
        key = change.get("id")
        draft = by_key.pop(key, None) if key is not None else _new_stage(pipeline.row)
        if draft is None:
            errors.append(missing(f"stages.{index}.id"))
            continue
        by_key.pop(draft.row.uuid, None)
        by_key.pop(draft.row.pk, None)
        errors += stages_field(index, _set_stage(draft.row, change))
        if change.get("position", index) != index:
            errors.append(
                FieldError(f"stages.{index}.position", "invalid", "Stages are in the order of the list.")
            )
        order.append(draft)
    listed = {draft.row.pk for draft in order}
    return order, [draft.row for pk, draft in existing.items() if pk not in listed], errors


def _new_stage(pipeline: Pipeline) -> Draft:
    return Draft(Stage(organization_id=pipeline.organization_id, pipeline=pipeline))


def _set_stage(row: Stage, change: Change) -> list[FieldError]:
    errors = set_columns(row, change, STAGE_COLUMNS)
    errors += column_errors(Stage, {"position": change.get("position")})
    if row.pk is None and "probability" not in change:
        row.probability = DEFAULT_PROBABILITY.get(row.kind, 0)
    row.color = row.color.lower()
    if row.kind != Stage.Kinds.OPEN and "stale_after_days" not in change:
        # A stage that becomes a closing one loses its limit: no open deal stands there.
        row.stale_after_days = None
    wrong = {error.field for error in errors}
    if row.pk is None and "name" not in change:
        errors.append(FieldError("name", "required", "A stage needs a name."))
        wrong.add("name")
    return errors + [error for error in stage_errors(row) if error.field not in wrong]


def _guard_kind(actor: Actor, draft: Draft) -> None:
    """A deal takes its status from the kind of its stage, so a stage with deals keeps its kind."""
    if not draft.before or draft.before["kind"] == draft.row.kind:
        return
    if uses := hooks.count_uses(actor, [draft.row.pk]):
        raise uses.conflict(KEEPS_KIND, stage=draft.row.name)


def _guard_use(actor: Actor, stage_ids: Sequence[int]) -> None:
    """Refuse to trash stages that have live deals."""
    if stage_ids and (uses := hooks.count_uses(actor, stage_ids)):
        raise uses.conflict(HIDDEN if uses.others else IN_USE)


def _guard_hidden(actor: Actor, stage_ids: Sequence[int]) -> None:
    """Refuse to move deals that the actor may not see."""
    uses = hooks.count_uses(actor, stage_ids)
    if uses.others:
        raise uses.conflict(HIDDEN)


def _arrange(changes: ChangeSet, actor: Actor, order: Sequence[Draft]) -> None:
    """Number the stages in this order, and write those that are new or changed."""
    now = timezone.now()
    for position, draft in enumerate(order):
        draft.row.position = position
    existing = [draft for draft in order if draft.before]
    moving = [draft.row.pk for draft in existing if draft.before["position"] != draft.row.position]
    if moving:
        before_storing()
        Stage.objects.filter(pk__in=moving).update(position=F("position") + ASIDE)
    touched = store.update(existing, now=now)
    new = [draft for draft in order if not draft.before]
    store.insert(new, now=now)
    references.write(StageReference, actor.organization_id, [*touched, *new])
    store.record(changes, touched, "updated")
    store.record(changes, new, "created")
    reweighted = [draft.row.pk for draft in touched if "probability" in draft.changed]
    if reweighted:
        hooks.after_probability(reweighted)


def _trash_stages(
    changes: ChangeSet,
    actor: Actor,
    rows: Sequence[Stage],
    move_deals_to: RowKey | None,
    *,
    now: datetime.datetime | None = None,
) -> None:
    ids = [row.pk for row in rows]
    if move_deals_to is None:
        _guard_use(actor, ids)
    else:
        target = rows_by_key(Stage.objects.visible_to(actor.member), [move_deals_to]).get(move_deals_to)
        if target is None or target.pk in ids:
            raise Invalid(fields=[missing("move_deals_to")])
        _guard_hidden(actor, ids)
        hooks.move_all(actor, ids, target)
    trash_rows(changes, StageReference, rows, now=now)
