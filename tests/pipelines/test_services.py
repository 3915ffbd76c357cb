"""Writing pipelines and stages: one default, positions without gaps, kinds that stay, deals that lose no stage."""

from crm_project.accounts.models import Organization
from crm_project.journal.models import Event
from deals.models import Deal
from deals.services import trash_deals
from pipelines.models import Pipeline, PipelineReference, Stage
from pipelines.services import (
    create_pipeline,
    create_stage,
    restore_pipeline,
    restore_stage,
    trash_pipeline,
    trash_stage,
    update_pipeline,
    update_stage,
)
from tests.base import BaseTestCase, refused, stages_of, with_token
from tests.factories import ActorFactory, OrganizationFactory, PipelineFactory, StageFactory


class PipelineTestCase(BaseTestCase):
    def update(self, pipeline, **change):
        return update_pipeline(actor=self.alice, pipeline=pipeline, change=change)

    def update_stage(self, stage, **change):
        return update_stage(actor=self.alice, stage=stage, change=change)

    def order(self, pipeline=None):
        """The names of the stages in order, once their positions are known to be 0, 1, 2 and so on."""
        stages = stages_of(pipeline or self.pipeline)
        assert [stage.position for stage in stages] == list(range(len(stages)))
        return [stage.name for stage in stages]

    def versions(self):
        return dict(Stage.objects.filter(pipeline=self.pipeline).values_list("name", "version"))


class CreatePipeline(PipelineTestCase):
    def test_it_works(self):
        stages = [{"name": "One", "color": "#ABCDEF"}, {"name": "Two", "kind": "won", "probability": 99}]

        pipeline = create_pipeline(
            actor=self.manager,
            change={"name": "Partners", "stages": stages, "external_references": [("erp", "1")]},
        )

        assert (pipeline.is_default, pipeline.is_active, pipeline.version) == (False, True, 1)
        assert [(s.name, s.kind, s.probability, s.color, s.position) for s in stages_of(pipeline)] == [
            ("One", "open", 10, "#abcdef", 0),
            ("Two", "won", 99, "#64748b", 1),
        ]
        assert PipelineReference.objects.get().row == pipeline

    def test_the_first_of_an_organization_is_the_default(self):
        somebody = ActorFactory(organization=OrganizationFactory(), role="manager")

        first = PipelineFactory(actor=somebody, is_default=False)
        second = PipelineFactory(actor=somebody)

        assert (first.is_default, second.is_default) == (True, False)

    def test_a_kind_is_never_guessed_from_a_name(self):
        pipeline = PipelineFactory(actor=self.alice, stages=[{"name": "Won"}, {"name": "Lost"}])

        assert {stage.kind for stage in stages_of(pipeline)} == {"open"}

    def test_the_probability_follows_the_kind(self):
        kinds = ("open", "won", "lost")
        pipeline = PipelineFactory(actor=self.alice, stages=[{"name": kind, "kind": kind} for kind in kinds])

        assert [stage.probability for stage in stages_of(pipeline)] == [10, 100, 0]

    def test_it_names_every_wrong_field(self):
        stages = [{"name": "ok"}, {"color": "red"}, {"name": "x", "kind": "maybe", "probability": 101}]

        with refused("invalid") as caught:
            PipelineFactory(actor=self.alice, stages=stages)

        assert {error.field for error in caught.value.fields} == {
            "stages.1.name",
            "stages.1.color",
            "stages.2.kind",
            "stages.2.probability",
        }
        assert Pipeline.objects.of(self.organization.pk).count() == 2

    def test_it_needs_a_name(self):
        for name in ({}, {"name": ""}, {"name": " "}):
            with self.subTest(name=name), refused("blank", "name"):
                create_pipeline(actor=self.alice, change=name)

    def test_a_rep_and_a_token_without_the_scope_may_not(self):
        for actor in (self.bob, self.viewer, with_token(self.alice, "read", "write")):
            with self.subTest(actor=actor), refused("forbidden"):
                PipelineFactory(actor=actor)


class DefaultPipeline(PipelineTestCase):
    def test_another_takes_over(self):
        self.update(self.renewals, is_default=True)

        assert Pipeline.objects.of(self.organization.pk).default().get() == self.renewals
        assert dict(Pipeline.objects.of(self.organization.pk).values_list("name", "version")) == {
            "Sales": 2,
            "Renewals": 2,
        }

    def test_a_new_one_takes_over(self):
        pipeline = PipelineFactory(actor=self.alice, is_default=True)

        assert Pipeline.objects.of(self.organization.pk).default().get() == pipeline

    def test_others_organizations_keep_theirs(self):
        self.update(self.renewals, is_default=True)

        assert Pipeline.objects.get(pk=self.theirs.pk).is_default

    def test_it_rejects_that_there_be_none(self):
        with refused("invalid", "is_default"):
            self.update(self.pipeline, is_default=False)

    def test_it_is_not_trashed(self):
        with refused("is_default"):
            trash_pipeline(actor=self.alice, pipeline=self.pipeline)


class UpdatePipeline(PipelineTestCase):
    def test_it_works(self):
        pipeline = self.update(self.pipeline, name="Neu", description="x")

        assert (pipeline.name, pipeline.version) == ("Neu", 2)
        assert self.order() == ["New", "Offer", "Won", "Lost"]

    def test_the_same_again_changes_nothing(self):
        stages = [
            {"id": stage.pk, "name": stage.name, "kind": stage.kind, "position": stage.position}
            for stage in stages_of(self.pipeline)
        ]
        events = Event.objects.count()

        pipeline = self.update(self.pipeline, name="Sales", is_default=True, is_active=True, stages=stages)

        assert (pipeline.version, set(self.versions().values())) == (1, {1})
        assert Event.objects.count() == events

    def test_it_hides_other_organizations_and_the_trash(self):
        trash_pipeline(actor=self.alice, pipeline=self.renewals)

        for pipeline in (self.theirs, self.renewals):
            with self.subTest(pipeline=pipeline), refused("not_found"):
                self.update(pipeline, name="x")

    def test_it_rejects_a_taken_reference(self):
        self.update(self.renewals, external_references=[("erp", "1")])

        with refused("reference_taken"):
            self.update(self.pipeline, external_references=[("erp", "1")])


class ReplaceStages(PipelineTestCase):
    def test_it_works(self):
        stages = [
            {"id": self.lost.pk},
            {"name": "Fresh"},
            {"id": self.new.uuid, "name": "Newer"},
            {"id": self.won.pk},
        ]

        self.update(self.pipeline, stages=stages)

        assert self.order() == ["Lost", "Fresh", "Newer", "Won"]
        assert Stage.objects.get(pk=self.new.pk).name == "Newer"
        trashed = Stage.objects.get(pk=self.offer.pk)
        assert (trashed.deleted_at is not None, trashed.position) == (True, None)

    def test_each_row_that_changes_does_so_once(self):
        self.update(self.pipeline, stages=[{"id": s.pk} for s in (self.offer, self.new, self.won)])

        assert self.versions() == {"New": 2, "Offer": 2, "Won": 1, "Lost": 2}

    def test_it_rejects_to_leave_out_one_that_deals_stand_in(self):
        self.deal(self.alice, is_private=True)

        with refused("in_use") as caught:
            self.update(self.pipeline, stages=[{"id": self.offer.pk}])

        assert caught.value.extra == {"count": 1, "others": False}
        assert self.order() == ["New", "Offer", "Won", "Lost"]

    def test_it_rejects_stages_that_are_unknown_foreign_or_of_another_pipeline(self):
        for stage_id in (2**62, stages_of(self.theirs)[0].pk, stages_of(self.renewals)[0].pk):
            with self.subTest(stage_id=stage_id), refused("does_not_exist", "stages.1.id"):
                self.update(self.pipeline, stages=[{"id": self.new.pk}, {"id": stage_id}])

    def test_it_rejects_the_same_stage_twice(self):
        with refused("does_not_exist", "stages.1.id"):
            self.update(self.pipeline, stages=[{"id": self.new.pk}, {"id": self.new.uuid}])

    def test_it_rejects_positions_that_contradict_the_list(self):
        with refused("invalid", "stages.0.position"):
            self.update(self.pipeline, stages=[{"id": self.new.pk, "position": 3}])

    def test_an_empty_list_empties_it(self):
        self.update(self.pipeline, stages=[])

        assert self.order() == []


class CreateStage(PipelineTestCase):
    def test_it_goes_last_and_is_open(self):
        stage = create_stage(actor=self.manager, change={"pipeline": self.pipeline.pk, "name": "After"})

        assert (stage.kind, stage.probability, stage.position) == ("open", 10, 4)
        assert self.order() == ["New", "Offer", "Won", "Lost", "After"]

    def test_it_goes_to_the_given_position(self):
        for position, expected in ((0, 0), (2, 2), (99, 6)):
            with self.subTest(position=position):
                name = f"at {position}"

                StageFactory(actor=self.alice, pipeline=self.pipeline.uuid, name=name, position=position)

                assert self.order().index(name) == expected

    def test_it_rejects_what_is_no_position(self):
        for position, code in ((-1, "out_of_range"), ("1", "invalid"), (1.5, "invalid"), (True, "invalid")):
            with self.subTest(position=position):
                with refused(code, "position"):
                    StageFactory(actor=self.alice, pipeline=self.pipeline.pk, position=position)
                with refused(code, "position"):
                    self.update_stage(self.new, position=position)

    def test_it_needs_a_name_and_a_pipeline(self):
        with refused("invalid", "name", "pipeline"):
            create_stage(actor=self.alice, change={})

    def test_it_rejects_a_foreign_or_trashed_pipeline(self):
        trash_pipeline(actor=self.alice, pipeline=self.renewals)

        for pipeline in (self.theirs, self.renewals):
            with self.subTest(pipeline=pipeline), refused("does_not_exist", "pipeline"):
                StageFactory(actor=self.alice, pipeline=pipeline.pk)

    def test_a_rep_may_not(self):
        with refused("forbidden"):
            StageFactory(actor=self.bob, pipeline=self.pipeline.pk)


class UpdateStage(PipelineTestCase):
    def test_it_works(self):
        stage = self.update_stage(self.offer, name="Quote", color="#FF0000", probability=0)

        assert (stage.name, stage.color, stage.probability, stage.version) == ("Quote", "#ff0000", 0, 2)
        assert self.order() == ["New", "Quote", "Won", "Lost"]

    def test_it_moves_among_its_siblings(self):
        for position, order in (
            (0, ["Offer", "New", "Won", "Lost"]),
            (3, ["New", "Won", "Lost", "Offer"]),
            (99, ["New", "Won", "Lost", "Offer"]),
            (1, ["New", "Offer", "Won", "Lost"]),
        ):
            with self.subTest(position=position):
                self.update_stage(self.offer, position=position)

                assert self.order() == order

    def test_only_those_that_move_change(self):
        self.update_stage(self.offer, position=0)

        assert self.versions() == {"New": 2, "Offer": 2, "Won": 1, "Lost": 1}

    def test_the_same_again_changes_nothing(self):
        stage = self.update_stage(self.offer, name="Offer", position=1, kind="open", color="#64748B")

        assert stage.version == 1

    def test_a_kind_stays_while_deals_stand_there(self):
        self.deal(self.alice, is_private=True)

        with refused("in_use") as caught:
            self.update_stage(self.new, kind="won")

        assert caught.value.extra == {"count": 1, "others": False}
        assert self.update_stage(self.offer, kind="won").kind == "won"

    def test_it_hides_other_organizations_and_the_trash(self):
        trash_stage(actor=self.alice, stage=self.offer)

        for stage in (self.theirs.stages.first(), self.offer):
            with self.subTest(stage=stage), refused("not_found"):
                self.update_stage(stage, name="x")


class TrashStage(PipelineTestCase):
    def test_it_works(self):
        trash_stage(actor=self.alice, stage=self.offer)

        assert self.order() == ["New", "Won", "Lost"]
        assert self.versions() == {"New": 1, "Offer": 2, "Won": 2, "Lost": 2}

    def test_trashed_deals_do_not_count(self):
        trash_deals(actor=self.bob, rows=[self.deal(stage=self.offer.pk)])

        trash_stage(actor=self.alice, stage=self.offer)

        assert self.order() == ["New", "Won", "Lost"]

    def test_it_rejects_one_that_deals_stand_in(self):
        self.deal(stage=self.offer.pk)
        self.deal(self.alice, stage=self.offer.pk, is_private=True)

        with refused("in_use") as caught:
            trash_stage(actor=self.manager, stage=self.offer)

        assert caught.value.extra == {"count": 1, "others": True}

    def test_the_deals_can_be_moved_by_one_who_sees_them(self):
        deal = self.deal(stage=self.offer.pk)
        private = self.deal(self.alice, stage=self.offer.pk, is_private=True)

        with refused("in_use"):
            trash_stage(actor=self.manager, stage=self.offer, move_deals_to=self.won.pk)
        trash_stage(actor=self.alice, stage=self.offer, move_deals_to=self.won.pk)

        rows = Deal.objects.filter(pk__in=[deal.pk, private.pk])
        assert set(rows.values_list("stage", "status", "version")) == {(self.won.pk, "won", 2)}
        assert self.order() == ["New", "Won", "Lost"]

    def test_into_another_pipeline_too(self):
        deal = self.deal(stage=self.offer.pk)
        target = stages_of(self.renewals)[1]

        trash_stage(actor=self.alice, stage=self.offer, move_deals_to=target.pk)

        assert Deal.objects.get(pk=deal.pk).stage == target

    def test_it_rejects_to_move_them_nowhere(self):
        self.deal(stage=self.offer.pk)

        for target in (self.offer.pk, 2**62, self.theirs.stages.first().pk):
            with self.subTest(target=target), refused("does_not_exist", "move_deals_to"):
                trash_stage(actor=self.alice, stage=self.offer, move_deals_to=target)

    def test_its_references_are_free(self):
        self.update_stage(self.offer, external_references=[("erp", "1")])
        trash_stage(actor=self.alice, stage=self.offer)

        assert self.update_stage(self.new, external_references=[("erp", "1")]).version == 2


class TrashPipeline(PipelineTestCase):
    def test_it_works(self):
        trash_pipeline(actor=self.alice, pipeline=self.renewals)

        assert not Pipeline.objects.live().filter(pk=self.renewals.pk).exists()
        assert not Stage.objects.live().filter(pipeline=self.renewals).exists()

    def test_it_rejects_one_that_deals_stand_in(self):
        self.deal(self.alice, pipeline=self.renewals.pk, is_private=True)

        with refused("in_use") as caught:
            trash_pipeline(actor=self.manager, pipeline=self.renewals)

        assert caught.value.extra == {"count": 0, "others": True}

    def test_the_deals_can_be_moved(self):
        deal = self.deal(self.alice, pipeline=self.renewals.pk, is_private=True)

        with refused("in_use"):
            trash_pipeline(actor=self.manager, pipeline=self.renewals, move_deals_to=self.offer.pk)
        trash_pipeline(actor=self.alice, pipeline=self.renewals, move_deals_to=self.offer.pk)

        assert Deal.objects.get(pk=deal.pk).stage == self.offer

    def test_it_rejects_to_move_them_within_itself(self):
        self.deal(pipeline=self.renewals.pk)

        with refused("does_not_exist", "move_deals_to"):
            trash_pipeline(
                actor=self.alice, pipeline=self.renewals, move_deals_to=stages_of(self.renewals)[1].pk
            )


class CatalogueVersion(PipelineTestCase):
    """Whatever keeps reference data in memory is told by this number that it is stale."""

    def number(self):
        return Organization.objects.get(pk=self.organization.pk).catalogue_version

    def test_every_write_of_reference_data_raises_it(self):
        writes = (
            lambda: PipelineFactory(actor=self.alice),
            lambda: self.update(self.pipeline, name="x"),
            lambda: StageFactory(actor=self.alice, pipeline=self.pipeline.pk),
            lambda: self.update_stage(self.new, name="x"),
            lambda: trash_stage(actor=self.alice, stage=self.offer),
            lambda: trash_pipeline(actor=self.alice, pipeline=self.renewals),
        )
        for write in writes:
            before = self.number()

            write()

            assert self.number() > before

    def test_a_deal_does_not(self):
        before = self.number()

        self.deal()

        assert self.number() == before


class RestoreTests(BaseTestCase):
    def test_a_pipeline_comes_back_with_its_stages_in_their_order(self):
        stages = stages_of(self.renewals)
        update_stage(actor=self.alice, stage=stages[0], change={"position": 2})
        gone_before = stages_of(self.renewals)[-1]
        trash_stage(actor=self.alice, stage=gone_before)
        order = [(stage.pk, stage.position) for stage in stages_of(self.renewals)]
        trash_pipeline(actor=self.alice, pipeline=self.renewals)

        restore_pipeline(actor=self.alice, pipeline=self.renewals)

        assert [(stage.pk, stage.position) for stage in stages_of(self.renewals)] == order

    def test_a_stage_comes_back_as_the_last_with_its_references(self):
        stage = stages_of(self.pipeline)[0]
        update_stage(actor=self.alice, stage=stage, change={"external_references": [("erp", "1")]})
        trash_stage(actor=self.alice, stage=stage)

        restore_stage(actor=self.manager, stage=stage)

        assert [row.pk for row in stages_of(self.pipeline)][-1] == stage.pk
        assert [row.position for row in stages_of(self.pipeline)] == [0, 1, 2, 3]
        assert Stage.objects.holding_reference(system="erp", external_id="1").get().pk == stage.pk

    def test_a_stage_of_a_trashed_pipeline_waits_for_it(self):
        stage = stages_of(self.renewals)[0]
        trash_stage(actor=self.alice, stage=stage)
        trash_pipeline(actor=self.alice, pipeline=self.renewals)

        with refused("restore_conflict"):
            restore_stage(actor=self.alice, stage=stage)

    def test_a_reference_that_another_stage_has_by_now_is_refused(self):
        stage, other = stages_of(self.pipeline)[:2]
        update_stage(actor=self.alice, stage=stage, change={"external_references": [("erp", "1")]})
        trash_stage(actor=self.alice, stage=stage)
        update_stage(actor=self.alice, stage=other, change={"external_references": [("erp", "1")]})

        with refused("restore_conflict"):
            restore_stage(actor=self.alice, stage=stage)

    def test_a_rep_restores_nothing(self):
        trash_stage(actor=self.alice, stage=self.new)

        with refused("forbidden"):
            restore_stage(actor=self.bob, stage=self.new)

    def test_an_outsider_restores_nothing(self):
        trash_pipeline(actor=self.alice, pipeline=self.renewals)

        with refused("not_found"):
            restore_pipeline(actor=self.charlie, pipeline=self.renewals)
        with refused("not_found"):
            restore_stage(actor=self.charlie, stage=stages_of(self.pipeline)[0])
