"""Members and tokens: a secret is kept as a digest, a token never does more than its member, one admin stays."""

import datetime
import json

from django.utils import timezone

from crm_project.accounts.actors import Actor
from crm_project.accounts.models import ApiToken, Member, Organization
from crm_project.accounts.rules import Permission, Role, permissions
from crm_project.accounts.services import (
    add_member,
    authenticate_token,
    create_organization,
    create_token,
    find_or_create_user,
    rename_token,
    renew_token,
    revoke_token,
    token_digest,
    update_member,
)
from crm_project.journal.models import Event
from tests.base import BaseTestCase, refused, with_token

HOUR = datetime.timedelta(hours=1)


class Tokens(BaseTestCase):
    def token(self, actor=None, **fields):
        return create_token(actor=actor or self.bob, **{"name": "ERP", **fields})

    def test_it_works(self):
        token, secret = self.token()

        actor = authenticate_token(secret)

        assert (actor.member, actor.organization, actor.token) == (self.bob.member, self.organization, token)
        assert actor.permissions == {Permission.VIEW, Permission.EDIT_DEALS}

    def test_it_is_found_in_one_query(self):
        _, secret = self.token()
        authenticate_token(secret)

        with self.assertNumQueries(1):
            actor = authenticate_token(secret)
            assert (actor.member.user.email, actor.organization.slug) == ("bob@example.com", "alice")

    def test_only_a_digest_is_kept(self):
        token, secret = self.token()

        row = ApiToken.objects.values().get()
        events = json.dumps(list(Event.objects.filter(kind="token").values_list("changes", flat=True)))

        assert row["digest"] == token_digest(secret) == token.digest
        assert len(secret) > 43
        assert secret.startswith(token.hint)
        assert len(token.hint) == 8
        for kept in (*map(str, row.values()), events):
            assert secret not in kept
        assert token.digest not in events

    def test_two_are_never_alike(self):
        assert len({self.token()[1] for _ in range(50)}) == 50

    def test_it_rejects_what_is_no_secret(self):
        token, secret = self.token()

        for wrong in ("", secret[:-1], secret.upper(), f"{secret} ", token.digest, token.hint, "\ud800", "é"):
            with self.subTest(wrong=wrong):
                assert authenticate_token(wrong) is None

    def test_it_expires(self):
        token, secret = self.token(expires_at=timezone.now() + HOUR)
        assert authenticate_token(secret) is not None

        ApiToken.objects.filter(pk=token.pk).update(expires_at=timezone.now())

        assert authenticate_token(secret) is None

    def test_it_is_revoked(self):
        token, secret = self.token()

        revoked = revoke_token(actor=self.bob, token=token)

        assert authenticate_token(secret) is None
        assert (revoked.revoked_at is not None, revoked.version) == (True, 2)

    def test_it_is_renewed(self):
        token, secret = create_token(actor=self.bob, name="sync")
        soon = timezone.now() + datetime.timedelta(hours=1)

        renewed, other = renew_token(actor=self.bob, token=token, expires_at=soon)

        assert authenticate_token(secret) is None
        assert authenticate_token(other).token.pk == renewed.pk == token.pk
        assert (renewed.expires_at, renewed.version) == (soon, token.version + 1)
        revoke_token(actor=self.bob, token=token)
        with refused("revoked"):
            renew_token(actor=self.bob, token=token, expires_at=soon)
        assert authenticate_token(other) is None

    def test_it_ends_with_its_member_or_login(self):
        _, secret = self.token()

        update_member(actor=self.alice, member=self.bob.member, is_active=False)
        assert authenticate_token(secret) is None
        update_member(actor=self.alice, member=self.bob.member, is_active=True)
        assert authenticate_token(secret) is not None

        self.bob.member.user.is_active = False
        self.bob.member.user.save()
        assert authenticate_token(secret) is None

    def test_its_use_is_noted_at_most_once_a_minute(self):
        token, secret = self.token()
        assert token.last_used_at is None

        authenticate_token(secret)
        first = ApiToken.objects.get().last_used_at
        authenticate_token(secret)
        assert ApiToken.objects.get().last_used_at == first

        a_minute_ago = first - datetime.timedelta(minutes=1)
        ApiToken.objects.update(last_used_at=a_minute_ago)
        authenticate_token(secret)
        assert ApiToken.objects.get().last_used_at >= first

    def test_noting_its_use_is_no_change_of_it(self):
        _, secret = self.token()
        events = Event.objects.count()

        authenticate_token(secret)

        assert (ApiToken.objects.get().version, Event.objects.count()) == (1, events)

    def test_it_follows_its_members_role(self):
        _, secret = self.token(self.manager)

        update_member(actor=self.alice, member=self.manager.member, role=Role.VIEWER)

        assert authenticate_token(secret).permissions == {Permission.VIEW}

    def test_it_is_renamed(self):
        token, _ = self.token()

        assert rename_token(actor=self.bob, token=token, name="Shop").name == "Shop"

    def test_one_sees_ones_own_and_an_admin_all(self):
        own, others = self.token()[0], self.token(self.manager)[0]
        self.token(self.charlie)

        assert set(ApiToken.objects.visible_to(self.bob.member)) == {own}
        assert set(ApiToken.objects.visible_to(self.alice.member)) == {own, others}

    def test_scopes_are_kept_in_order_and_once(self):
        assert self.token(scopes=["write", "read", "write"])[0].scopes == ["read", "write"]

    def test_it_names_every_wrong_field(self):
        with refused("invalid", "scopes", "expires_at"):
            self.token(scopes=["everything"], expires_at=timezone.now() - HOUR)
        with refused("required", "scopes"):
            self.token(scopes=[])

    def test_an_admin_makes_one_for_another_member(self):
        token, _ = self.token(self.alice, member=self.bob.member)

        assert token.member == self.bob.member

    def test_others_do_not(self):
        for actor in (self.bob, self.manager):
            with self.subTest(actor=actor), refused("forbidden"):
                self.token(actor, member=self.viewer.member)

    def test_nobody_makes_one_for_a_member_of_another_organization(self):
        with refused("invalid"):
            self.token(self.alice, member=self.charlie.member)

    def test_a_deactivated_member_gets_none(self):
        bob = update_member(actor=self.alice, member=self.bob.member, is_active=False)

        with refused("inactive", "member"):
            self.token(self.alice, member=bob)

    def test_others_tokens_are_revoked_by_an_admin_alone(self):
        token, _ = self.token()

        for actor, code in (
            (self.manager, "forbidden"),
            (self.viewer, "forbidden"),
            (self.charlie, "invalid"),
        ):
            with self.subTest(actor=actor), refused(code):
                revoke_token(actor=actor, token=token)

        assert revoke_token(actor=self.alice, token=token).revoked_at is not None


class NeverWider(BaseTestCase):
    """Whoever holds a token gets no more out of it than it was given."""

    def test_not_in_scope(self):
        actor = with_token(self.bob, "read")

        with refused("wider", "scopes"):
            create_token(actor=actor, name="x", scopes=["read", "write"])
        with refused("wider", "scopes"):
            create_token(actor=actor, name="x")

        assert create_token(actor=actor, name="x", scopes=["read"])[0].scopes == ["read"]

    def test_not_in_time(self):
        end = timezone.now() + HOUR
        actor = with_token(self.bob, "read", expires_at=end)

        for later in (None, end + HOUR):
            with self.subTest(later=later), refused("wider", "expires_at"):
                create_token(actor=actor, name="x", scopes=["read"], expires_at=later)

        assert create_token(actor=actor, name="x", scopes=["read"], expires_at=end)[0].expires_at == end

    def test_not_for_another_member(self):
        actor = with_token(self.alice, "read", "write")

        with refused("forbidden"):
            create_token(actor=actor, name="x", scopes=["read"], member=self.manager.member)

    def test_it_does_not_administer_unless_it_has_every_scope(self):
        for scopes in (["read"], ["read", "write"], ["write", "pipelines"]):
            with self.subTest(scopes=scopes), refused("forbidden"):
                update_member(actor=with_token(self.alice, *scopes), member=self.bob.member, job_title="x")

        everything = with_token(self.alice, "read", "write", "pipelines")
        assert update_member(actor=everything, member=self.bob.member, job_title="x").job_title == "x"

    def test_what_each_role_and_scope_allow(self):
        view, deals, pipelines, administer = Permission
        for role, scopes, expected in (
            ("viewer", None, {view}),
            ("rep", None, {view, deals}),
            ("manager", None, {view, deals, pipelines}),
            ("admin", None, {view, deals, pipelines, administer}),
            ("admin", ["read"], {view}),
            ("admin", ["write"], {deals}),
            ("admin", ["pipelines"], {pipelines}),
            ("admin", ["read", "write"], {view, deals}),
            ("admin", ["read", "write", "pipelines"], {view, deals, pipelines, administer}),
            ("viewer", ["read", "write", "pipelines"], {view}),
            ("rep", ["pipelines"], set()),
            ("admin", [], set()),
            ("admin", ["everything"], set()),
            ("guest", None, set()),
        ):
            with self.subTest(role=role, scopes=scopes):
                assert permissions(role, scopes) == expected


class Members(BaseTestCase):
    def test_it_works(self):
        user = find_or_create_user(email=" Dora@Example.com", full_name="Dora")

        member = add_member(actor=self.alice, organization=self.organization, user=user, role=Role.MANAGER)

        assert (member.full_name, member.email, member.role) == ("Dora", "dora@example.com", "manager")
        assert Actor(member).may(Permission.EDIT_PIPELINES)

    def test_a_login_may_be_a_member_of_several_organizations(self):
        user = self.bob.member.user

        member = add_member(actor=self.charlie, organization=self.charlie.organization, user=user)

        assert member.pk != self.bob.member.pk
        assert find_or_create_user(email="BOB@example.com", full_name="Other").full_name == "Bob"

    def test_it_rejects_a_member_twice(self):
        with refused("member_exists"):
            add_member(actor=self.alice, organization=self.organization, user=self.bob.member.user)

    def test_only_an_admin_of_the_organization_may(self):
        user = find_or_create_user(email="dora@example.com")

        for actor, code in ((self.manager, "forbidden"), (self.charlie, "invalid")):
            with self.subTest(actor=actor), refused(code):
                add_member(actor=actor, organization=self.organization, user=user)
            with self.subTest(actor=actor), refused(code):
                update_member(actor=actor, member=self.bob.member, role=Role.ADMIN)

    def test_a_change_raises_the_version_and_records_an_event(self):
        before = Organization.objects.get(pk=self.organization.pk).catalogue_version

        member = update_member(actor=self.alice, member=self.bob.member, role=Role.MANAGER, job_title="Boss")

        assert member.version == 2
        assert Member.objects.get(pk=member.pk).updated_at > self.bob.member.updated_at
        assert Event.objects.filter(kind="user", row_id=member.pk).last().changes == {
            "job_title": ["", "Boss"],
            "role": ["rep", "manager"],
        }
        assert Organization.objects.get(pk=self.organization.pk).catalogue_version > before

    def test_the_same_again_changes_nothing(self):
        events = Event.objects.count()

        assert update_member(actor=self.alice, member=self.bob.member, role=Role.REP).version == 1
        assert Event.objects.count() == events

    def test_the_last_admin_stays(self):
        for change in ({"role": Role.MANAGER}, {"is_active": False}):
            with self.subTest(change=change), refused("last_admin"):
                update_member(actor=self.alice, member=self.alice.member, **change)

    def test_one_of_two_may_go(self):
        update_member(actor=self.alice, member=self.bob.member, role=Role.ADMIN)

        update_member(actor=self.alice, member=self.alice.member, role=Role.REP)

        with refused("last_admin"):
            update_member(
                actor=Actor(Member.objects.get(pk=self.bob.member.pk)),
                member=self.bob.member,
                is_active=False,
            )

    def test_an_admin_who_has_left_does_not_count(self):
        update_member(actor=self.alice, member=self.bob.member, role=Role.ADMIN)
        update_member(actor=self.alice, member=self.bob.member, is_active=False)

        with refused("last_admin"):
            update_member(actor=self.alice, member=self.alice.member, role=Role.REP)


class Organizations(BaseTestCase):
    def test_a_slug_is_made_of_the_name(self):
        slugs = [
            create_organization(name=name).slug for name in ("Kiss & Co", "Kiss  Co", "Kiss Co!", "東京")
        ]

        assert slugs == ["kiss-co", "kiss-co-2", "kiss-co-3", "organization"]

    def test_it_rejects_one_that_is_taken(self):
        with refused("slug_taken"):
            create_organization(name="x", slug="alice")
