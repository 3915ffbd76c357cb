"""What cells of deals name: pipelines, stages, statuses, lost reasons, members and currencies, known or created."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import cached_property
from typing import Any

from django.utils.translation import gettext_noop

from crm_project.accounts.rules import Permission
from crm_project.currencies import CURRENCY_DECIMALS
from crm_project.emails import fold_email
from crm_project.imports.errors import UnreadableCell
from crm_project.imports.kinds.base import ImportKind, Values, in_any_order
from crm_project.imports.kinds.names import Names
from crm_project.imports.kinds.values import CREATE, ValueField, status_of, unknown
from crm_project.readers import quoted
from crm_project.readers.currencies import currencies_of
from crm_project.records.text import fold
from deals.models import Deal, LostReason
from deals.services import create_lost_reason
from pipelines.models import Pipeline, Stage
from pipelines.services import create_pipeline, create_stage


class DealValues(ImportKind[Deal]):
    """The fields of a deal whose cells name one of a few things."""

    model = Deal
    plural = "deals"

    @cached_property
    def pipelines(self) -> Names:
        rows = Pipeline.objects.visible_to(self.actor.member).values_list("id", "name")
        return Names("pipeline", rows)

    @cached_property
    def stages(self) -> dict[int, Names]:
        """The stages of each pipeline: stages of several pipelines may have the same name."""
        rows = Stage.objects.visible_to(self.actor.member).values_list("pipeline_id", "id", "name")
        stages: dict[int, list[tuple[int, str]]] = {pipeline: [] for pipeline in self.pipelines.name_of}
        for pipeline, stage, name in rows:
            stages.setdefault(pipeline, []).append((stage, name))
        return {pipeline: Names("stage", pairs) for pipeline, pairs in stages.items()}

    @cached_property
    def default_pipeline(self) -> int | None:
        live = Pipeline.objects.visible_to(self.actor.member)
        return live.filter(is_default=True).values_list("id", flat=True).first()

    @cached_property
    def lost_reasons(self) -> Names:
        return Names(
            "lost_reason", LostReason.objects.visible_to(self.actor.member).values_list("id", "name")
        )

    @cached_property
    def resolvers(self) -> Mapping[str, Any]:
        return {
            "pipeline": lambda name, values: self.pipelines.find(name),
            # Before the stage, which may mean a status where the row has none.
            "status": self._find_status,
            "stage": self._find_stage,
            "currency": lambda written, values: self.find_currency(written),
            "lost_reason": lambda name, values: self.lost_reasons.find(name),
            "owner_email": lambda email, values: self.member(email),
            "created_by_email": lambda email, values: self.member(email),
            "follower_emails": lambda emails, values: [self.member(email) for email in emails],
            "access_list_emails": lambda emails, values: [self.member(email) for email in emails],
        }

    def _find_stage(self, name: str, values: Values) -> int | None:
        """In the pipeline that the row names; else in the default pipeline, or the only stage of this name.

        A word for won or lost that no stage has as its name is the status, for which the pipeline has a stage.
        """
        try:
            return self._stage_named(name, values.get("pipeline"))
        except UnreadableCell:
            status = status_of(name)
            if status not in (Deal.Statuses.WON, Deal.Statuses.LOST):
                raise
            if not values.get("status"):
                values["status"] = status
            return None

    def _stage_named(self, name: str, pipeline: Any) -> int:
        if isinstance(pipeline, int):
            return self.stages[pipeline].find(name)
        if pipeline is None and self.default_pipeline is not None:
            try:
                return self.stages[self.default_pipeline].find(name)
            except UnreadableCell:
                if len(self.stages) == 1:
                    raise
        return self._all_stages.find(name)

    def _find_status(self, written: str, values: Values) -> str | None:
        """A status, or a word that means one in some languages or in the files of the source."""
        plain = fold(written.strip())
        meanings = self.source.values.get("status", {}) if self.source else {}
        if plain in meanings:
            return meanings[plain] or None
        status = status_of(written)
        if status is None:
            raise unknown("status", written, Deal.Statuses.values)
        return status

    def find_currency(self, written: str) -> str:
        """A code, a symbol of one currency, or a name."""
        found = currencies_of(written)
        if len(found) == 1:
            return next(iter(found))
        if found:
            raise UnreadableCell("%(value)s is the sign of several currencies.", {"value": quoted(written)})
        raise UnreadableCell(
            "%(value)s is not a currency: write a code such as EUR.", {"value": quoted(written)}
        )

    @cached_property
    def _all_stages(self) -> Names:
        rows = [pair for names in self.stages.values() for pair in names.name_of.items()]
        return Names("stage", rows)

    @cached_property
    def value_fields(self) -> Mapping[str, ValueField]:
        edits = self.actor.may(Permission.EDIT_PIPELINES)
        member = self.member_field()
        return {
            "pipeline": ValueField(
                self.pipelines.find,
                lambda: _pairs(Pipeline.objects.visible_to(self.actor.member)),
                lambda uuid: self._ids(Pipeline)[uuid],
                (lambda names: None) if edits else None,
                gettext_noop("create it, with the stages of the file"),
            ),
            "stage": ValueField(
                self._knows_stage,
                self._stage_choices,
                lambda uuid: self._ids(Stage)[uuid],
                (lambda names: None) if edits else None,
            ),
            "status": ValueField(
                lambda text: self._find_status(text, {}),
                lambda: [(value, str(label)) for value, label in Deal.Statuses.choices],
                lambda value: value,
            ),
            "lost_reason": ValueField(
                lambda text: self.lost_reasons.find(text),
                lambda: _pairs(LostReason.objects.visible_to(self.actor.member)),
                lambda uuid: self._ids(LostReason)[uuid],
                self._create_reasons if edits else None,
            ),
            "owner_email": member,
            "created_by_email": member,
            "currency": ValueField(
                self.find_currency, lambda: [(code, code) for code in sorted(CURRENCY_DECIMALS)], str
            ),
        }

    def _knows_stage(self, text: str) -> Any:
        """Whether all pipelines of the file that exist have the stage, or it is a word for won or lost."""
        for pipeline in self._pipelines_of_file():
            self._find_stage(text, {"pipeline": pipeline})
        return None

    def _pipelines_of_file(self) -> list[int | None]:
        """The existing pipelines that the file names; None stands for the default."""
        found = []
        for text in self.options.get("file_values", {}).get("pipeline", ()):
            try:
                chosen = self._choice("pipeline", text)
                found.append(
                    self.value_fields["pipeline"].chosen(chosen) if chosen else self.pipelines.find(text)
                )
            except UnreadableCell:
                if self.options.get("value_choices", {}).get("pipeline", {}).get(text) != CREATE:
                    found.append(None)
        return found if self.options.get("file_values", {}).get("pipeline") else [None]

    def _stage_choices(self) -> list[tuple[str, str]]:
        rows = Stage.objects.visible_to(self.actor.member).order_by("pipeline_id", "position")
        several = len(self.pipelines.name_of) > 1
        return [
            (str(uuid), f"{pipeline}: {name}" if several else name)
            for uuid, name, pipeline in rows.values_list("uuid", "name", "pipeline__name")
        ]

    def _ids(self, model: Any) -> dict[str, int]:
        key = f"_ids_of_{model.__name__}"
        if key not in self.__dict__:
            rows = model.objects.visible_to(self.actor.member).values_list("uuid", "id")
            self.__dict__[key] = {str(uuid): row_id for uuid, row_id in rows}
        found: dict[str, int] = self.__dict__[key]
        return found

    def _create_reasons(self, names: Sequence[str]) -> None:
        for name in names:
            create_lost_reason(actor=self.actor, change={"name": name})

    def prepare(self, pairs: Iterable[Mapping[str, Any]]) -> None:
        """Create pipelines with the stages that the file has in them, stages of existing pipelines, and the others."""
        super().prepare(())
        choices = self.options.get("value_choices", {})
        new = {
            key: {text for text, value in choices.get(key, {}).items() if value == CREATE} for key in choices
        }
        if new.get("pipeline") or new.get("stage"):
            for pipeline, names in self._stages_of_pairs(pairs).items():
                self._create_stages(pipeline, [name for name in names if name], new)
        self._forget()

    def _stages_of_pairs(self, pairs: Iterable[Mapping[str, Any]]) -> dict[str | None, dict[str, None]]:
        """The stages that the file has in each pipeline."""
        stages: dict[str | None, dict[str, None]] = {}
        for pair in pairs:
            stages.setdefault(pair.get("pipeline") or None, {})[pair.get("stage") or ""] = None
        return stages

    def _create_stages(
        self, pipeline: str | None, names: Sequence[str], new: Mapping[str, Collection[str]]
    ) -> None:
        if pipeline in new.get("pipeline", ()) and not self.value_fields["pipeline"].knows(str(pipeline)):
            stages = [_stage(name) for name in names]
            open_ones = [stage for stage in stages if stage["kind"] == Stage.Kinds.OPEN]
            closing = [stage for stage in stages if stage["kind"] != Stage.Kinds.OPEN]
            change = {"name": pipeline, "stages": [*(open_ones or [_stage("New")]), *closing]}
            create_pipeline(actor=self.actor, change=change)
            self._forget()
            return
        chosen = self._choice("pipeline", pipeline) if pipeline else None
        target = (
            self.value_fields["pipeline"].chosen(chosen)
            if chosen
            else self.pipelines.find(pipeline)
            if pipeline
            else self.default_pipeline
        )
        for name in names:
            if name in new.get("stage", ()) and target is not None:
                self._create_stage(name, target)

    def _create_stage(self, name: str, pipeline: int) -> None:
        """As the last open stage of the pipeline, unless it has the stage."""
        try:
            self._find_stage(name, {"pipeline": pipeline})
        except UnreadableCell:
            open_stages = Stage.objects.filter(
                pipeline=pipeline, deleted_at=None, kind=Stage.Kinds.OPEN
            ).count()
            create_stage(
                actor=self.actor, change={**_stage(name), "pipeline": pipeline, "position": open_stages}
            )
            self._forget()

    def _forget(self) -> None:
        """Read the pipelines, stages and lost reasons again."""
        for name in (
            "pipelines", "stages", "default_pipeline", "lost_reasons", "_all_stages", "value_fields", "_offers",
            "_ids_of_Stage", "_ids_of_Pipeline", "_ids_of_LostReason", "stage_kinds",
            "_known_entries",
        ):  # fmt: skip
            self.__dict__.pop(name, None)

    @cached_property
    def stage_kinds(self) -> dict[int, tuple[str, int]]:
        """The kind and the pipeline of each stage."""
        rows = Stage.objects.visible_to(self.actor.member).values_list("id", "kind", "pipeline_id")
        return {stage: (kind, pipeline) for stage, kind, pipeline in rows}

    def is_former(self, owner: Any) -> bool:
        """Whether the owner was chosen to be created as a former member, who owns closed deals alone."""
        choices = self.options.get("value_choices", {}).get("owner_email", {})
        names = [text for text, value in choices.items() if value == CREATE]
        ids = {
            self.member_ids.get(fold_email(name)) or self.member_ids.get(in_any_order(name)) for name in names
        }
        return owner is not None and owner in ids


def _pairs(rows: Any) -> list[tuple[str, str]]:
    """UUID and name of each row, as a choice."""
    return [(str(uuid), name) for uuid, name in rows.order_by("id").values_list("uuid", "name")]


def _stage(name: str) -> dict[str, Any]:
    """A new stage, whose kind is that of a word for won or lost."""
    status = status_of(name)
    closing = {Deal.Statuses.WON: Stage.Kinds.WON, Deal.Statuses.LOST: Stage.Kinds.LOST}
    return {"name": name, "kind": closing.get(status, Stage.Kinds.OPEN)}  # type: ignore[call-overload]
