"""The stages that a deal has passed, by columns with the day of each entry."""

import datetime
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any

from crm_project.errors import FieldError
from crm_project.imports.errors import UnreadableCell
from crm_project.imports.fields import ImportField
from crm_project.imports.kinds.base import Values
from crm_project.imports.kinds.deal_values import DealValues
from crm_project.imports.kinds.values import CREATE, EMPTY, status_of
from crm_project.imports.stage_dates import PREFIX, entered_field, guess, with_pipelines
from crm_project.records.text import fold
from deals.models import Deal
from pipelines.models import Stage

ENTERED = "entered_stages"


class EnteredStages(DealValues):
    """The fields `entered:<stage>` of deals, of which a file may have any number."""

    @cached_property
    def entered(self) -> Sequence[str]:
        """The keys of the mapped fields of this form; none in most files."""
        return [key for key in self.options.get("mapped", ()) if entered_field(key)]

    def made_field(self, key: str) -> ImportField | None:
        return entered_field(key) or super().made_field(key)

    @cached_property
    def ignorable(self) -> Mapping[str, str]:
        return {**super().ignorable, **dict.fromkeys(self.entered, "contradicting")}

    def offered_fields(self) -> list[ImportField]:
        """One for each name of a stage, and those that are mapped."""
        stages = Stage.objects.visible_to(self.actor.member).order_by("pipeline_id", "position")
        names = dict.fromkeys(stages.values_list("name", flat=True))
        keys = dict.fromkeys([*(f"{PREFIX}{name.strip()}" for name in names), *self.entered])
        found = (entered_field(key) for key in keys)
        return [*super().offered_fields(), *(field for field in found if field)]

    def guess_made(self, columns: Sequence[Mapping[str, Any]]) -> dict[str, str]:
        return super().guess_made(columns) | guess(columns, self.source.entered if self.source else ())

    @cached_property
    def prepared_keys(self) -> Sequence[str]:
        return [*super().prepared_keys, *self.entered]

    # -- Which stage a key means.

    def _named(self, key: str) -> tuple[str, str | None]:
        """The stage that the key names, and its pipeline as the file writes it; None for the pipeline of the row."""
        text = key.removeprefix(PREFIX)
        written = {fold(name): name for name in self.options.get("file_values", {}).get("pipeline", ())}
        for stage, pipeline in with_pipelines(text):
            if fold(pipeline) in written:
                return stage, written[fold(pipeline)]
            if self.pipelines.folded.get(fold(pipeline)):
                return stage, pipeline
        return text, None

    def _stage_of(self, key: str, pipeline: int | None) -> int | None:
        """The stage that the key means for a deal in the pipeline; None if it was chosen to be left out."""
        name, written = self._named(key)
        chosen = self._choice("stage", name)
        if chosen == EMPTY:
            return None
        if chosen:
            found: int = self.value_fields["stage"].chosen(chosen)
            return found
        if written is not None:
            selected = self._choice("pipeline", written)
            if selected != EMPTY:
                pipeline = (
                    self.value_fields["pipeline"].chosen(selected)
                    if selected
                    else self.pipelines.find(written)
                )
        return self._in_pipeline(name, pipeline)

    def _in_pipeline(self, name: str, pipeline: int | None) -> int:
        try:
            return self._stage_named(name, pipeline)
        except UnreadableCell:
            own = pipeline if pipeline is not None else self.default_pipeline
            closing = [
                stage
                for stage, (kind, of_pipeline) in self.stage_kinds.items()
                if of_pipeline == own and kind != Stage.Kinds.OPEN and kind == status_of(name)
            ]
            if not closing:
                raise
            return closing[0]

    @cached_property
    def _known_entries(self) -> dict[tuple[str, int | None], int | None]:
        return {}

    def _resolve(self, values: Values) -> list[FieldError]:
        errors = super()._resolve(values)
        return errors if errors or not self.entered else self._resolve_entered(values)

    def _resolve_entered(self, values: Values) -> list[FieldError]:
        """Collect the entries of the row with their stages."""
        stage = values.get("stage")
        pipeline = self.stage_kinds[stage][1] if isinstance(stage, int) else values.get("pipeline")
        errors, entries = [], {}
        for key in self.entered:
            instant: datetime.datetime | None = values.pop(key, None)
            if instant is None:
                continue
            try:
                if (key, pipeline) not in self._known_entries:
                    self._known_entries[key, pipeline] = self._stage_of(key, pipeline)
                found = self._known_entries[key, pipeline]
            except UnreadableCell as error:
                errors.append(FieldError(key, "does_not_exist", error.template, error.params))
                continue
            if found is not None:
                entries[key] = (found, instant)
        if entries:
            values[ENTERED] = entries
        return errors

    def to_change(self, values: Values) -> Values:
        entries = values.pop(ENTERED, None)
        change = super().to_change(values)
        return change if entries is None else {**change, ENTERED: entries}

    def field_key(self, path: str) -> str:
        return path.removeprefix(f"{ENTERED}.") if path.startswith(ENTERED) else super().field_key(path)

    # -- Values that are asked about, and stages that are created.

    def values_of_headers(self, columns: Sequence[Mapping[str, Any]], mapping: Mapping[str, Any]) -> Any:
        """The stages that headers name, as values of the field `stage`: those unknown, with their number of cells."""
        counts: Counter[str] = Counter()
        labels = []
        for column in columns:
            key = mapping.get(column["label"])
            if key and key in self.entered and column.get("filled"):
                name, _pipeline = self._named(key)
                chosen = self.options.get("value_choices", {}).get("stage", {})
                if name in chosen or not self._knows_entered(key):
                    counts[name] += column["filled"]
                    labels.append(column["label"])
        return {"stage": (labels, counts)} if counts else super().values_of_headers(columns, mapping)

    def _knows_entered(self, key: str) -> bool:
        name, written = self._named(key)
        choices = self.options.get("value_choices", {}).get("pipeline", {})
        if status_of(name) in (Deal.Statuses.WON, Deal.Statuses.LOST) or choices.get(written) == CREATE:
            return True
        try:
            for pipeline in self._pipelines_of_file():
                self._stage_of(key, pipeline)
        except UnreadableCell:
            return False
        return True

    def _stages_of_pairs(self, pairs: Iterable[Mapping[str, Any]]) -> dict[str | None, dict[str, None]]:
        """The stages of headers come first, in the order of the columns, which is that of the pipeline."""
        if not self.entered:
            return super()._stages_of_pairs(pairs)
        filled: dict[str, set[str | None]] = {key: set() for key in self.entered}
        stages = super()._stages_of_pairs(self._noting(pairs, filled))
        found: dict[str | None, dict[str, None]] = {}
        for key, pipelines in filled.items():
            name, written = self._named(key)
            for pipeline in {written} if written is not None and pipelines else pipelines:
                found.setdefault(pipeline, {})[name] = None
        return {
            pipeline: {**found.get(pipeline, {}), **stages.get(pipeline, {})}
            for pipeline in {**stages, **found}
        }

    def _noting(
        self, pairs: Iterable[Mapping[str, Any]], filled: Mapping[str, set[str | None]]
    ) -> Iterator[Mapping[str, Any]]:
        """The pairs; the pipelines of the rows with an entry are noted on the way."""
        for pair in pairs:
            for key in self.entered:
                if pair.get(key):
                    filled[key].add(pair.get("pipeline") or None)
            yield pair
