"""The commands `create_organization` and `create_token`: their standard output can be used by scripts."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from crm_project.accounts.models import ApiToken, Member, Organization, User
from crm_project.accounts.services import authenticate_token
from deals.models import DealReference
from pipelines.models import Pipeline

pytestmark = pytest.mark.django_db


def run(*arguments):
    """The lines on standard output, and the text on standard error."""
    out, err = StringIO(), StringIO()
    call_command(*arguments, stdout=out, stderr=err)
    return out.getvalue().splitlines(), err.getvalue()


class TestCreateOrganization:
    def test_it_prints_the_slug(self):
        lines, _ = run("create_organization", "Ça & Là", "--owner", "owner@example.com")

        assert lines == ["ca-la"]
        assert Organization.objects.get().name == "Ça & Là"

    @pytest.mark.parametrize(
        ("options", "stored"),
        [
            ((), ("UTC", "", "en")),
            (("--time-zone", "Europe/Paris"), ("Europe/Paris", "FR", "en")),
            (
                ("--time-zone", "Europe/Paris", "--country", "be", "--language", "fr"),
                ("Europe/Paris", "BE", "fr"),
            ),
        ],
    )
    def test_it_has_a_country_and_a_language(self, options, stored):
        run("create_organization", "House", "--owner", "owner@example.com", *options)

        made = Organization.objects.get()
        assert (made.time_zone, made.country, made.language) == stored

    @pytest.mark.parametrize(
        "options", [("--country", "XX"), ("--language", "??"), ("--time-zone", "Mars/Base")]
    )
    def test_it_rejects_unknown_ones(self, options):
        with pytest.raises(CommandError):
            run("create_organization", "House", "--owner", "owner@example.com", *options)

        assert not Organization.objects.exists()

    def test_it_has_a_default_pipeline_to_sell_in(self):
        run("create_organization", "House", "--owner", "owner@example.com")

        pipeline = Pipeline.objects.get(is_default=True)
        kinds = [stage.kind for stage in pipeline.stages.in_order()]
        assert kinds.count("open") >= 3
        assert (kinds.count("won"), kinds.count("lost")) == (1, 1)

    def test_the_owner_is_its_admin_and_has_to_set_a_password(self):
        _, said = run("create_organization", "House", "--owner", " Owner@Example.com")

        member = Member.objects.get()
        assert (member.email, member.role, member.user.is_staff) == ("owner@example.com", "admin", True)
        assert not member.user.has_usable_password()
        assert "changepassword owner@example.com" in said

    def test_a_login_that_exists_is_left_alone(self):
        User.objects.create_user("owner@example.com", "a password of their own")

        _, said = run("create_organization", "House", "--owner", "owner@example.com")

        user = User.objects.get()
        assert user.check_password("a password of their own")
        assert not user.is_staff
        assert said == ""

    def test_the_same_name_again_gets_another_slug(self):
        run("create_organization", "House", "--owner", "owner@example.com")

        assert run("create_organization", "House", "--owner", "owner@example.com")[0] == ["house-2"]

    @pytest.mark.parametrize("owner", ["nobody", "", "a@b"])
    def test_it_rejects_an_invalid_address(self, owner):
        with pytest.raises(CommandError):
            run("create_organization", "House", "--owner", owner)

        assert not Organization.objects.exists()

    @pytest.mark.parametrize("name", ["", "  ", "x" * 256, "\x00"])
    def test_it_rejects_an_invalid_name(self, name):
        with pytest.raises(CommandError):
            run("create_organization", name, "--owner", "owner@example.com")

        assert not User.objects.exists()

    def test_its_stages_are_in_its_language(self):
        run("create_organization", "Maison", "--owner", "owner@example.com", "--language", "fr")

        assert Pipeline.objects.get().stages.in_order().first().name == "Nouvelle"


class TestFirstOrganization:
    def test_the_password_of_its_admin_is_printed_once(self, monkeypatch):
        monkeypatch.setenv("PORT", "8123")
        lines, said = run("first_organization", "--owner", "Ann@Example.com")

        url, login = lines
        address, _, password = login.removeprefix("Staff login: ").partition(" / ")
        user = User.objects.get()
        assert url == "URL: http://127.0.0.1:8123"
        assert (address, user.email) == ("ann@example.com", "ann@example.com")
        assert (user.is_staff, user.is_superuser) == (True, True)
        assert len(password) >= 16
        assert user.check_password(password)
        assert password not in said
        again = "\n".join(run("first_organization", "--owner", "ann@example.com")[0])
        assert "Staff login: your own" in again
        assert password not in again

    def test_its_organization_has_a_pipeline_that_can_win_and_lose(self):
        run("first_organization")

        kinds = {stage.kind for stage in Pipeline.objects.get(is_default=True).stages.in_order()}
        assert Member.objects.get().role == "admin"
        assert kinds == {"open", "won", "lost"}

    def test_a_database_that_has_an_organization_is_left_alone(self):
        run("create_organization", "House", "--owner", "owner@example.com")

        run("first_organization")

        assert (User.objects.count(), Organization.objects.count()) == (1, 1)


class TestCreateToken:
    @pytest.fixture(autouse=True)
    def _house(self):
        run("create_organization", "House", "--owner", "owner@example.com")

    def token(self, *options, organization="house", user="owner@example.com"):
        return run("create_token", "--organization", organization, "--user", user, *options)

    def test_the_last_line_is_the_token(self):
        lines, _ = self.token()

        actor = authenticate_token(lines[-1])
        assert actor.member.email == "owner@example.com"
        assert set(actor.token.scopes) == {"read", "write", "pipelines"}
        assert actor.token.expires_at is None

    def test_it_can_be_narrow_and_short_lived(self):
        lines, said = self.token("--scopes", "read, write", "--expires-in", "30")

        token = ApiToken.objects.get()
        assert token.scopes == ["read", "write"]
        assert 29 <= (token.expires_at - token.created_at).days <= 30
        assert authenticate_token(lines[-1])
        assert lines[-1] not in said

    def test_its_application_owns_the_external_ids_of_its_requests(self, client):
        lines, _ = self.token("--app-code", "shop")
        deal = {
            "name": "Roof",
            "total_amount_net": 1,
            "total_amount_gross": 1,
            "tax": "zw",
            "external_id": "7",
        }

        answer = client.post(
            "/dialects/intum/crm/deals.json",
            {"deal": deal},
            content_type="application/json",
            headers={"Authorization": f"Bearer {lines[-1]}"},
        )

        assert answer.status_code == 201, answer.content
        assert ApiToken.objects.get().app_code == "shop"
        assert list(DealReference.objects.values_list("system", "external_id")) == [("shop", "7")]

    @pytest.mark.parametrize("scopes", ["", "everything", "read,everything"])
    def test_it_rejects_unknown_scopes(self, scopes):
        with pytest.raises(CommandError):
            self.token("--scopes", scopes)

        assert not ApiToken.objects.exists()

    @pytest.mark.parametrize("days", ["0", "-1", "soon", "1.5", "99999999"])
    def test_it_rejects_an_invalid_number_of_days(self, days):
        with pytest.raises(CommandError):
            self.token(f"--expires-in={days}")

    def test_it_rejects_an_unknown_organization(self):
        with pytest.raises(CommandError, match="no organization 'elsewhere'"):
            self.token(organization="elsewhere")

    def test_it_rejects_a_user_who_is_not_a_member(self):
        with pytest.raises(CommandError, match="not an active member"):
            self.token(user="stranger@example.com")
