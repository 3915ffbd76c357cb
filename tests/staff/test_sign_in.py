"""Signing in to the admin, choosing an organization, and the home page."""

import datetime

from django.test import Client, TestCase
from django.utils import timezone

from crm_project.accounts.models import SignInAttempt, User
from crm_project.accounts.services import add_member, find_or_create_user
from tests.staff.base import StaffTestCase

LOGIN = "/admin/login/"


class SignInTests(StaffTestCase):
    def setUp(self):
        user = User.objects.get(pk=self.bob.member.user_id)
        user.set_password("right password")
        user.save()

    def sign_in_with(self, password, **headers):
        return self.client.post(LOGIN, {"username": "Bob@Example.com", "password": password}, **headers)

    def test_it_works_and_ends_after_twelve_hours_despite_activity(self):
        response = self.sign_in_with("right password")

        assert response["location"] == "/admin/"
        expiry = self.client.session.get_expiry_date()
        assert expiry - timezone.now() <= datetime.timedelta(hours=12)

    def test_the_sixth_attempt_is_refused_with_the_right_password_too(self):
        for _ in range(5):
            assert "correct" in self.sign_in_with("wrong").content.decode()

        response = self.sign_in_with("right password")

        assert "Too many wrong passwords" in response.content.decode()
        assert response.status_code == 429
        assert 0 < int(response["Retry-After"]) <= 15
        assert "_auth_user_id" not in self.client.session

    def test_an_address_that_has_signed_in_before_is_free(self):
        self.sign_in_with("right password", REMOTE_ADDR="192.0.2.2")
        for _ in range(5):
            self.sign_in_with("wrong", REMOTE_ADDR="192.0.2.1")

        assert self.sign_in_with("right password", REMOTE_ADDR="192.0.2.2").status_code == 302
        assert self.sign_in_with("right password", REMOTE_ADDR="192.0.2.3").status_code == 429

    def test_the_old_password_cannot_be_guessed_in_a_session(self):
        self.sign_in_with("right password")
        data = {"old_password": "wrong", "new_password1": "unheard of 7", "new_password2": "unheard of 7"}
        for _ in range(5):
            assert self.client.post("/admin/password_change/", data).status_code == 200

        response = self.client.post("/admin/password_change/", {**data, "old_password": "right password"})

        assert response.status_code == 429
        assert "Too many wrong passwords" in response.content.decode()

    def test_the_password_is_changed_with_the_old_one(self):
        self.sign_in_with("right password")
        data = {"new_password1": "unheard of 7", "new_password2": "unheard of 7"}

        response = self.client.post("/admin/password_change/", {**data, "old_password": "right password"})

        assert response["location"] == "/admin/password_change/done/"
        assert User.objects.get(pk=self.bob.member.user_id).check_password("unheard of 7")

    def test_a_login_that_is_no_staff_counts_as_wrong(self):
        User.objects.filter(pk=self.bob.member.user_id).update(is_staff=False)

        assert self.sign_in_with("right password").status_code == 200
        assert SignInAttempt.objects.exists()

    def test_no_page_without_signing_in(self):
        for url in (
            "/admin/",
            "/admin/deals/deal/",
            "/admin/search/?s=x",
            "/admin/organization/",
            "/admin/undo/1/",
        ):
            assert LOGIN in self.client.get(url)["location"]


class FirstVisitTests(TestCase):
    def test_the_address_alone_leads_to_the_admin(self):
        assert self.client.get("/")["location"] == "/admin/"

    def test_an_empty_database_explains_the_first_login(self):
        empty = self.client.get(LOGIN).content.decode()
        find_or_create_user(email="first@example.com")
        later = self.client.get(LOGIN).content.decode()

        assert "create_organization" in empty
        assert "create_organization" not in later


class OrganizationTests(StaffTestCase):
    def test_one_works_in_one_organization_and_switches_by_a_post(self):
        self.deal(name="Ours")
        self.deal(actor=self.charlie, name="Theirs")
        place = add_member(
            actor=None, organization=self.charlie.organization, user=self.bob.member.user, role="rep"
        )

        assert "Ours" in self.page("/admin/deals/deal/")
        self.client.get("/admin/organization/", {"member": place.pk})
        assert "Ours" in self.page("/admin/deals/deal/")
        self.client.post("/admin/organization/", {"member": place.pk})

        page = self.page("/admin/deals/deal/")
        assert "Theirs" in page
        assert "Ours" not in page

    def test_a_member_who_has_left_sees_nothing(self):
        self.deal(name="Ours")
        type(self.bob.member).objects.filter(pk=self.bob.member.pk).update(is_active=False)

        assert self.client.get("/admin/deals/deal/").status_code == 403
        assert "You are not a member of an organization" in self.page("/admin/")

    def test_times_are_the_organizations(self):
        type(self.organization).objects.filter(pk=self.organization.pk).update(time_zone="Asia/Tokyo")
        deal = self.deal(status="won")
        closed = deal.closed_at.astimezone(datetime.timezone(datetime.timedelta(hours=9)))

        assert closed.strftime("%Y-%m-%dT%H:%M") in self.page(f"/admin/deals/deal/{deal.pk}/change/")


class HomeTests(StaffTestCase):
    def test_it_shows_my_work_and_the_pipelines(self):
        own = {"owner": self.bob.member.pk}
        today = timezone.now().date()
        self.deal(
            name="Late one", expected_close_date=(today - datetime.timedelta(days=3)).isoformat(), **own
        )
        self.deal(name="Of Alice", owner=self.alice.member.pk, amount="10", currency="USD")

        page = self.page("/admin/")

        assert "Late one" in page
        assert "Of Alice" not in page
        assert "USD" not in page
        everybodys = self.page("/admin/?whose=all")
        assert "Of Alice" in everybodys
        assert "USD" in everybodys

    def test_it_works_with_nothing(self):
        for who in (self.viewer, self.charlie, self.operator):
            self.sign_in(who)
            self.page("/admin/")


class RefusalPageTests(StaffTestCase):
    """A refused page has an explanation and a link to the home page."""

    def test_a_page_that_is_not_theirs_and_one_that_is_not_there(self):
        for url, status, told in (
            ("/admin/accounts/user/", 403, "You do not have permission"),
            ("/admin/nothing/here/", 404, "Page not found"),
            ("/nothing", 404, "Page not found"),
        ):
            page = self.page(url, status=status)
            assert told in page
            assert 'href="/admin/"' in page

    def test_a_form_from_before_the_sign_in(self):
        strict = Client(enforce_csrf_checks=True)
        strict.force_login(self.bob.member.user)

        response = strict.post("/admin/organization/", {"member": 1})

        assert response.status_code == 403
        assert "This page is out of date" in response.content.decode()


class FirstStepsTests(StaffTestCase):
    """The home page of a new organization lists the first steps; after the first deal it has the lists instead."""

    def test_each_role_sees_the_steps_that_it_may_take(self):
        for who, steps in ((self.alice, 4), (self.manager, 3), (self.bob, 2), (self.viewer, 0)):
            self.sign_in(who)
            page = self.page("/admin/")
            assert ("First steps" in page) == bool(steps)
            assert page.count('class="crm-steps"') == bool(steps)
            assert len(self.client.get("/admin/").context["home"]["first_steps"]) == steps

        self.deal()

        assert "First steps" not in self.page("/admin/")


class RoleTests(StaffTestCase):
    def test_a_viewer_is_offered_nothing_that_is_refused_then(self):
        self.sign_in(self.viewer)

        page = self.page("/admin/deals/deal/")

        assert "No deals yet" in page
        assert "/admin/imports/import/add/" not in page
        assert "deals.csv" in page
        assert "/deal/add/" not in page

    def test_a_login_without_an_organization_gets_a_page_that_explains_it(self):
        self.sign_in(find_or_create_user(email="new@example.com", is_staff=True))

        page = self.page("/admin/")

        assert "You are not a member of an organization" in page
        assert "permission to view" not in page
