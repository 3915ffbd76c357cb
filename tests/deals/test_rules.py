"""The table of stages and statuses: where a deal stands, what is asked of it, and what comes of it."""

import datetime

import pytest

from deals import rules
from deals.models import Deal, LostReason
from pipelines.models import Pipeline, Stage

SALES = Pipeline(pk=1, name="Sales")
RENEWALS = Pipeline(pk=2, name="Renewals")
CLOSED_DOWN = Pipeline(pk=3, name="Closed down", is_active=False)
EMPTY = Pipeline(pk=4, name="Empty")


def stage(pk, name, kind="open", probability=0, pipeline=SALES):
    return Stage(pk=pk, name=name, kind=kind, probability=probability, pipeline=pipeline)


NEW, OFFER = stage(1, "New", probability=10), stage(2, "Offer", probability=50)
SIGNED, PAID = stage(3, "Signed", "won", 100), stage(4, "Paid", "won", 100)
MISSED, DROPPED = stage(5, "Missed", "lost"), stage(6, "Dropped", "lost")
# Nothing says that a pipeline begins with an open stage.
RENEWED = stage(7, "Renewed", "won", 100, RENEWALS)
DUE = stage(8, "Due", probability=70, pipeline=RENEWALS)
OLD = stage(9, "Old", pipeline=CLOSED_DOWN)
STAGES = {
    SALES: [NEW, OFFER, SIGNED, PAID, MISSED, DROPPED],
    RENEWALS: [RENEWED, DUE],
    CLOSED_DOWN: [OLD],
    EMPTY: [],
}

NOW = datetime.datetime(2030, 6, 1, 12, tzinfo=datetime.UTC)
BEFORE = NOW - datetime.timedelta(days=30)
LONG_BEFORE = NOW - datetime.timedelta(days=60)
TOO_DEAR = LostReason(pk=1, name="Too dear")
BAD_TIMING = LostReason(pk=2, name="Bad timing")


def a_deal(at, status="open", **columns):
    """A deal that entered its stage long before, and was closed before if it is."""
    closed_at = None if status == "open" else BEFORE
    return Deal(
        stage=at, currency="EUR", status=status, closed_at=closed_at, stage_entered_at=LONG_BEFORE, **columns
    )


def travelled(deal, to, **change):
    errors = rules.travel(deal, to, change, now=NOW)

    assert errors == []
    return deal


def refusal(deal, to, **change):
    [error] = rules.travel(deal, to, change, now=NOW)

    return error.field, error.code


@pytest.mark.parametrize(
    ("at", "status", "to", "becomes"),
    [
        # Entering a stage of kind won or lost sets that status.
        pytest.param(NEW, "open", SIGNED, "won", id="open enters won"),
        pytest.param(NEW, "open", MISSED, "lost", id="open enters lost"),
        pytest.param(NEW, "won", MISSED, "lost", id="won in an open stage enters lost"),
        pytest.param(NEW, "lost", SIGNED, "won", id="lost in an open stage enters won"),
        pytest.param(NEW, "abandoned", MISSED, "lost", id="abandoned enters lost"),
        pytest.param(SIGNED, "won", MISSED, "lost", id="won enters lost"),
        pytest.param(MISSED, "lost", SIGNED, "won", id="lost enters won"),
        pytest.param(SIGNED, "won", PAID, "won", id="won enters another won"),
        pytest.param(MISSED, "abandoned", DROPPED, "lost", id="abandoned enters another lost"),
        # Leaving it for an open stage reopens.
        pytest.param(SIGNED, "won", NEW, "open", id="won leaves for open"),
        pytest.param(MISSED, "lost", NEW, "open", id="lost leaves for open"),
        pytest.param(MISSED, "abandoned", OFFER, "open", id="abandoned leaves lost for open"),
        # A move between open stages keeps the status.
        pytest.param(NEW, "open", OFFER, "open", id="open moves on"),
        pytest.param(NEW, "won", OFFER, "won", id="won moves between open stages"),
        pytest.param(NEW, "lost", OFFER, "lost", id="lost moves between open stages"),
        pytest.param(OFFER, "abandoned", NEW, "abandoned", id="abandoned moves between open stages"),
        # Naming the stage that the deal is in is no move.
        pytest.param(NEW, "won", NEW, "won", id="won stays in open"),
        pytest.param(MISSED, "abandoned", MISSED, "abandoned", id="abandoned stays in lost"),
        pytest.param(SIGNED, "won", SIGNED, "won", id="won stays in won"),
    ],
)
def test_a_move_alone(at, status, to, becomes):
    deal = travelled(a_deal(at, status), to)

    assert (deal.stage, deal.status) == (to, becomes)


@pytest.mark.parametrize(
    ("at", "was", "status"),
    [
        *((NEW, was, status) for was in Deal.Statuses.values for status in Deal.Statuses.values),
        (MISSED, "lost", "lost"),
        (MISSED, "lost", "abandoned"),
        (MISSED, "abandoned", "lost"),
        (SIGNED, "won", "won"),
    ],
)
def test_a_status_alone_keeps_the_stage(at, was, status):
    deal = travelled(a_deal(at, was), at, status=status)

    assert (deal.stage, deal.status, deal.stage_entered_at) == (at, status, LONG_BEFORE)


@pytest.mark.parametrize(
    ("at", "was", "to", "status"),
    [
        pytest.param(SIGNED, "won", PAID, "open", id="open while it moves to another won stage"),
        pytest.param(MISSED, "lost", SIGNED, "open", id="open while it enters won"),
        pytest.param(NEW, "won", MISSED, "open", id="open while it enters lost"),
        pytest.param(NEW, "open", SIGNED, "lost", id="lost while it enters won"),
        pytest.param(NEW, "open", SIGNED, "abandoned", id="abandoned while it enters won"),
        pytest.param(NEW, "open", MISSED, "won", id="won while it enters lost"),
        # Where the pipeline has no stage for the status, the deal stays, and its stage decides.
        pytest.param(SIGNED, "won", SIGNED, "lost", id="lost in won"),
        pytest.param(MISSED, "lost", MISSED, "open", id="open in lost"),
    ],
)
def test_a_stage_conflict_is_refused(at, was, to, status):
    assert refusal(a_deal(at, was), to, status=status) == ("status", "stage_conflict")


def test_a_new_deal_that_names_both_is_refused_where_they_conflict():
    assert refusal(Deal(currency="EUR"), SIGNED, status="open") == ("status", "stage_conflict")


@pytest.mark.parametrize(
    ("at", "status", "to", "becomes"),
    [
        pytest.param(NEW, "open", SIGNED, "won", id="an open deal enters won"),
        pytest.param(SIGNED, "won", NEW, "open", id="a won deal leaves for open"),
        pytest.param(MISSED, "abandoned", DROPPED, "lost", id="an abandoned deal enters another lost stage"),
    ],
)
def test_the_status_in_force_is_not_written(at, status, to, becomes):
    """Sending it beside another stage is the same as the move alone."""
    assert travelled(a_deal(at, status), to, status=status).status == becomes


@pytest.mark.parametrize(
    ("at", "was", "to", "status"),
    [
        pytest.param(NEW, "open", OFFER, "won", id="won in the next open stage"),
        pytest.param(NEW, "open", OFFER, "abandoned", id="abandoned in the next open stage"),
        pytest.param(NEW, "open", MISSED, "abandoned", id="abandoned in lost"),
        pytest.param(SIGNED, "won", NEW, "lost", id="lost, back in an open stage"),
        pytest.param(MISSED, "lost", SIGNED, "won", id="won in won"),
    ],
)
def test_stage_and_status_together_that_agree(at, was, to, status):
    deal = travelled(a_deal(at, was), to, status=status)

    assert (deal.stage, deal.status) == (to, status)


@pytest.mark.parametrize(
    ("to", "status", "becomes"),
    [(NEW, None, "open"), (SIGNED, None, "won"), (MISSED, None, "lost"), (NEW, "won", "won")],
)
def test_a_new_deal_takes_the_status_of_its_stage_unless_it_has_one(to, status, becomes):
    deal = travelled(Deal(currency="EUR"), to, **({"status": status} if status else {}))

    assert (deal.stage, deal.status, deal.stage_entered_at) == (to, becomes, NOW)
    assert deal.closed_at == (None if becomes == "open" else NOW)


class TestClosing:
    """Closing sets `closed_at`; reopening clears it."""

    @pytest.mark.parametrize("status", ["won", "lost", "abandoned"])
    def test_a_status_closes_now(self, status):
        assert travelled(a_deal(NEW), NEW, status=status).closed_at == NOW

    @pytest.mark.parametrize("to", [SIGNED, MISSED])
    def test_a_closing_stage_closes_now(self, to):
        assert travelled(a_deal(NEW), to).closed_at == NOW

    def test_or_at_an_instant_of_the_past_that_comes_with_it(self):
        assert travelled(a_deal(NEW), SIGNED, closed_at=BEFORE).closed_at == BEFORE

    def test_or_at_this_very_instant(self):
        assert travelled(a_deal(NEW), SIGNED, closed_at=NOW).closed_at == NOW

    def test_it_rejects_the_future(self):
        tomorrow = NOW + datetime.timedelta(days=1)

        assert refusal(a_deal(NEW), SIGNED, closed_at=tomorrow) == ("closed_at", "future")

    def test_it_rejects_a_closing_instant_of_an_open_deal(self):
        assert refusal(a_deal(NEW), OFFER, closed_at=BEFORE) == ("closed_at", "invalid")

    @pytest.mark.parametrize("change", [{"status": "open"}, {"status": "open", "closed_at": None}])
    def test_reopening_clears_it(self, change):
        assert travelled(a_deal(NEW, "won"), NEW, **change).closed_at is None

    def test_leaving_a_closing_stage_clears_it(self):
        assert travelled(a_deal(SIGNED, "won"), OFFER).closed_at is None

    @pytest.mark.parametrize("change", [{}, {"status": "won"}])
    def test_a_deal_that_stays_closed_keeps_its_instant(self, change):
        assert travelled(a_deal(SIGNED, "won"), PAID, **change).closed_at == BEFORE

    def test_closing_otherwise_is_a_new_closing(self):
        assert travelled(a_deal(NEW, "lost"), NEW, status="won").closed_at == NOW

    def test_a_closed_deal_does_not_lose_it(self):
        assert refusal(a_deal(NEW, "won"), NEW, closed_at=None) == ("closed_at", "null")


class TestLostReason:
    @pytest.mark.parametrize("status", ["lost", "abandoned"])
    def test_a_deal_that_is_lost_or_abandoned_takes_one(self, status):
        assert travelled(a_deal(NEW), NEW, status=status, lost_reason=TOO_DEAR).lost_reason == TOO_DEAR

    def test_entering_a_lost_stage_takes_one(self):
        assert travelled(a_deal(NEW), MISSED, lost_reason=TOO_DEAR).lost_reason == TOO_DEAR

    def test_a_lost_deal_changes_and_clears_it(self):
        assert travelled(
            a_deal(MISSED, "lost", lost_reason=TOO_DEAR), MISSED, lost_reason=BAD_TIMING
        ).lost_reason == (BAD_TIMING)
        assert (
            travelled(a_deal(MISSED, "lost", lost_reason=TOO_DEAR), MISSED, lost_reason=None).lost_reason
            is None
        )

    def test_a_change_that_does_not_name_it_keeps_it(self):
        deal = a_deal(NEW, "lost", lost_reason=TOO_DEAR)

        assert travelled(deal, MISSED).lost_reason == TOO_DEAR

    @pytest.mark.parametrize(
        ("to", "change"), [(NEW, {"status": "open"}), (SIGNED, {}), (NEW, {"status": "won"})]
    )
    def test_reopening_and_winning_clear_it(self, to, change):
        assert travelled(a_deal(NEW, "lost", lost_reason=TOO_DEAR), to, **change).lost_reason is None

    @pytest.mark.parametrize(
        ("at", "status", "change"), [(NEW, "open", {}), (NEW, "open", {"status": "won"}), (SIGNED, "won", {})]
    )
    def test_it_rejects_a_reason_with_open_or_won(self, at, status, change):
        assert refusal(a_deal(at, status), at, **change, lost_reason=TOO_DEAR) == ("lost_reason", "invalid")


class TestProbability:
    """Null means the stage's default; a value set by hand stays until it is set to null."""

    def test_it_follows_the_stage(self):
        deal = travelled(a_deal(NEW), OFFER)

        assert (deal.probability, deal.effective_probability) == (None, 50)

    def test_a_value_set_by_hand_stays_through_moves(self):
        deal = travelled(a_deal(NEW), NEW, probability=35)

        travelled(deal, OFFER)

        assert (deal.probability, deal.effective_probability) == (35, 35)

    def test_null_goes_back_to_the_stage(self):
        deal = travelled(a_deal(NEW, probability=35), OFFER, probability=None)

        assert (deal.probability, deal.effective_probability) == (None, 50)

    def test_zero_is_a_value(self):
        deal = travelled(a_deal(NEW), NEW, probability=0)

        assert (deal.probability, deal.effective_probability) == (0, 0)

    def test_writing_the_value_in_force_is_not_setting_it_by_hand(self):
        assert travelled(a_deal(NEW), NEW, probability=10).probability is None

    def test_what_counts_is_the_value_in_force_after_the_move(self):
        assert travelled(a_deal(NEW), OFFER, probability=50).probability is None
        assert travelled(a_deal(NEW), OFFER, probability=10).probability == 10

    @pytest.mark.parametrize(("status", "in_force"), [("won", 100), ("lost", 0), ("abandoned", 0)])
    def test_a_closed_deal_has_that_of_its_status_and_keeps_its_own_beneath(self, status, in_force):
        deal = travelled(a_deal(NEW, probability=35), NEW, status=status, probability=in_force)

        assert deal.effective_probability == in_force
        assert travelled(deal, NEW, status="open").effective_probability == 35

    @pytest.mark.parametrize(
        ("value", "codes"), [(0, []), (100, []), (None, []), (101, ["out_of_range"]), (-1, ["out_of_range"])]
    )
    def test_its_bounds(self, value, codes):
        assert [error.code for error in rules.probability_errors({"probability": value})] == codes


def test_entering_another_stage_is_noted_and_staying_is_not():
    assert travelled(a_deal(NEW), OFFER).stage_entered_at == NOW
    assert travelled(a_deal(NEW), NEW).stage_entered_at == LONG_BEFORE
    assert travelled(a_deal(NEW), NEW, status="won").stage_entered_at == LONG_BEFORE


def destination(at, stage, pipeline, status="open", **options):
    deal = a_deal(at, status) if at else None
    place = pipeline or (at.pipeline if at else None)
    goal, errors = rules.destination(
        deal, stage=stage, pipeline=pipeline, stages=STAGES.get(place, []), **options
    )

    return goal or [(error.field, error.code) for error in errors]


@pytest.mark.parametrize(
    ("at", "stage", "pipeline", "expected"),
    [
        pytest.param(None, None, SALES, NEW, id="new, a pipeline named: its first stage"),
        pytest.param(
            None, None, RENEWALS, RENEWED, id="new, a pipeline named: its first stage, whatever its kind"
        ),
        pytest.param(None, OFFER, SALES, OFFER, id="new, a stage named: that stage"),
        pytest.param(
            None, None, None, [("pipeline", "required")], id="new, and there is no default pipeline"
        ),
        pytest.param(
            None, None, EMPTY, [("pipeline", "pipeline_has_no_stage")], id="new, a pipeline without stages"
        ),
        pytest.param(
            None, None, CLOSED_DOWN, [("pipeline", "pipeline_inactive")], id="new, an inactive pipeline"
        ),
        pytest.param(
            None, OLD, CLOSED_DOWN, [("pipeline", "pipeline_inactive")], id="new, a stage of an inactive one"
        ),
        pytest.param(OFFER, None, None, OFFER, id="nothing named: no move"),
        pytest.param(OFFER, None, SALES, OFFER, id="its own pipeline: no move"),
        pytest.param(SIGNED, None, SALES, SIGNED, id="its own pipeline, in a closing stage: no move"),
        pytest.param(OLD, None, CLOSED_DOWN, OLD, id="its own inactive pipeline: no move"),
        pytest.param(OFFER, OFFER, SALES, OFFER, id="its own stage: no move"),
        pytest.param(OFFER, None, RENEWALS, DUE, id="another pipeline: its first open stage"),
        pytest.param(OFFER, RENEWED, RENEWALS, RENEWED, id="another pipeline and its stage"),
        pytest.param(
            DUE, None, EMPTY, [("pipeline", "pipeline_has_no_stage")], id="another pipeline without stages"
        ),
        pytest.param(
            DUE, OLD, CLOSED_DOWN, [("pipeline", "pipeline_inactive")], id="another, inactive pipeline"
        ),
        pytest.param(NEW, DUE, SALES, [("stage", "stage_not_in_pipeline")], id="a stage of another pipeline"),
        pytest.param(
            None, DUE, SALES, [("stage", "stage_not_in_pipeline")], id="new, a stage of another pipeline"
        ),
    ],
)
def test_where_a_deal_goes(at, stage, pipeline, expected):
    assert destination(at, stage, pipeline) == expected


ALWAYS, IF_NEEDED = rules.StatusMoves.ALWAYS, rules.StatusMoves.IF_NEEDED


@pytest.mark.parametrize(
    ("at", "was", "status", "always", "if_needed"),
    [
        # A status alone moves to the first stage of its kind; an open stage has every status where only need moves.
        (NEW, "open", "won", SIGNED, NEW),
        (NEW, "open", "lost", MISSED, NEW),
        (NEW, "open", "abandoned", MISSED, NEW),
        (NEW, "lost", "won", SIGNED, NEW),
        (NEW, "won", "open", NEW, NEW),
        (OFFER, "lost", "open", OFFER, OFFER),
        (SIGNED, "won", "lost", MISSED, MISSED),
        (SIGNED, "won", "abandoned", MISSED, MISSED),
        (SIGNED, "won", "open", NEW, NEW),
        (DROPPED, "lost", "won", SIGNED, SIGNED),
        (DROPPED, "lost", "open", NEW, NEW),
        # A lost stage has both lost and abandoned deals.
        (DROPPED, "lost", "abandoned", DROPPED, DROPPED),
        (DROPPED, "abandoned", "lost", DROPPED, DROPPED),
        # The status in force is not written.
        (NEW, "open", "open", NEW, NEW),
        (NEW, "won", "won", NEW, NEW),
        (PAID, "won", "won", PAID, PAID),
        # A pipeline without a stage of this kind leaves the deal where it is.
        (DUE, "open", "lost", DUE, DUE),
        (RENEWED, "won", "lost", RENEWED, RENEWED),
        (RENEWED, "won", "open", DUE, DUE),
    ],
)
def test_where_a_status_alone_moves_a_deal(at, was, status, always, if_needed):
    for moves, expected in (({}, always), ({"status_moves": ALWAYS}, always)):
        assert destination(at, None, None, was, change={"status": status, **moves}) == expected
    change = {"status": status, "status_moves": IF_NEEDED}
    assert destination(at, None, None, was, change=change) == if_needed
    # Naming the stage and the pipeline that it is in makes no difference.
    assert destination(at, at, None, was, change={"status": status}) == always
    assert destination(at, at, at.pipeline, was, change={"status": status}) == always


@pytest.mark.parametrize(
    ("last_open", "expected"),
    [(OFFER, OFFER), (None, NEW), (DUE, NEW)],
    ids=["known", "unknown", "elsewhere"],
)
def test_reopening_goes_back_to_the_last_open_stage(last_open, expected):
    assert destination(SIGNED, None, None, "won", change={"status": "open"}, last_open=last_open) == expected


@pytest.mark.parametrize(
    ("pipeline", "status", "expected"),
    [
        (SALES, None, NEW),
        (SALES, "open", NEW),
        (SALES, "won", SIGNED),
        (SALES, "lost", MISSED),
        (RENEWALS, None, RENEWED),
        (RENEWALS, "open", DUE),
        (RENEWALS, "won", RENEWED),
    ],
)
def test_a_new_deal_without_a_stage_goes_where_its_status_belongs(pipeline, status, expected):
    change = {"status": status} if status else {}

    assert destination(None, None, pipeline, change=change) == expected


def test_a_status_and_another_pipeline_go_where_the_status_belongs():
    assert destination(DUE, None, SALES, change={"status": "lost"}) == MISSED


@pytest.mark.parametrize("stage", [OFFER, SIGNED])
def test_a_stage_that_is_written_is_where_the_deal_goes(stage):
    assert destination(NEW, stage, None, change={"status": "lost"}) == stage


class TestProbabilityOfAClosedDeal:
    @pytest.mark.parametrize("value", [35, 99, 0, None])
    def test_another_value_than_the_one_in_force_is_refused(self, value):
        deal = a_deal(SIGNED, "won", probability=50)

        assert refusal(deal, SIGNED, probability=value) == ("probability", "invalid")

    def test_the_values_in_force_before_and_after_the_write_change_nothing(self):
        for value in (50, 100):
            deal = travelled(a_deal(OFFER), SIGNED, probability=value)

            assert (deal.probability, deal.effective_probability) == (None, 100)

    def test_null_is_the_value_of_a_deal_without_its_own(self):
        assert travelled(a_deal(SIGNED, "won"), SIGNED, probability=None).probability is None

    def test_a_write_that_reopens_sets_it(self):
        assert travelled(a_deal(SIGNED, "won"), NEW, probability=35).effective_probability == 35

    def test_a_new_closed_deal_has_that_of_its_status(self):
        assert refusal(Deal(currency="EUR"), SIGNED, probability=35) == ("probability", "invalid")
        assert travelled(Deal(currency="EUR"), SIGNED, probability=100).probability is None

    def test_a_change_may_ask_to_leave_it_out(self):
        change = {"probability": 35, "closed_probability": rules.IGNORE}
        deal = travelled(a_deal(SIGNED, "won", probability=50), SIGNED, **change)

        assert deal.probability == 50
        assert rules.ignored_fields(deal, change, in_force=100) == ["probability"]
        assert rules.ignored_fields(deal, {**change, "probability": 100}, in_force=100) == []


def test_a_forecast_category_equal_to_the_one_in_force_is_not_set_by_hand():
    sure = stage(10, "Sure")
    sure.forecast_category = "commit"

    assert travelled(a_deal(sure), sure, forecast_category="commit").forecast_category is None
    assert travelled(a_deal(sure), sure, forecast_category="omitted").forecast_category == "omitted"
    assert travelled(a_deal(sure, forecast_category="omitted"), sure).forecast_category == "omitted"
    kept = travelled(a_deal(sure, forecast_category="omitted"), sure, forecast_category=None)
    assert (kept.forecast_category, kept.effective_forecast_category) == (None, "commit")
