"""Pipelines, reasons, custom fields, members, tokens, organizations and logins in the admin."""

import pytest

from contacts.models import Contact
from crm_project.accounts.models import ApiToken, Member, Organization, User
from crm_project.accounts.services import add_member, authenticate_token
from crm_project.records.models import CustomField
from deals.models import Deal, LostReason
from pipelines.models import Pipeline
from tests.base import stages_of
from tests.factories import CompanyFactory, CustomFieldFactory, LostReasonFactory
from tests.staff.base import StaffTestCase, action_url, add_url, change_url, errors, list_url

pytestmark = pytest.mark.once


def stage_rows(*names):
    """What a browser sends for new stages."""
    data = {"stages-TOTAL_FORMS": len(names), "stages-INITIAL_FORMS": 0}
    for index, name in enumerate(names):
        row = {"name": name, "color": "#3b82f6", "kind": "open", "probability": 10 * index, "position": index}
        data |= {f"stages-{index}-{key}": value for key, value in row.items()}
    return data


class PipelineTests(StaffTestCase):
    def setUp(self):
        self.sign_in(self.manager)
        self.url = change_url(self.pipeline)

    def names(self):
        return [stage.name for stage in stages_of(self.pipeline)]

    def test_five_stages_at_once(self):
        names = ["Lead", "Call", "Offer", "Talk", "Won"]
        data = {"name": "New business", "is_active": "on", **stage_rows(*names), "stages-4-kind": "won"}

        response = self.client.post(add_url(Pipeline), data)

        assert response.status_code == 302, errors(response)
        stages = stages_of(Pipeline.objects.get(name="New business"))
        assert [stage.name for stage in stages] == names
        assert stages[4].kind == "won"

    def test_renaming_a_stage_leaves_the_others(self):
        before = {stage.pk: stage.version for stage in stages_of(self.pipeline)}

        response = self.save(self.url, **{"stages-1-name": "Proposal"})

        assert response.status_code == 302, errors(response)
        after = {stage.pk: stage.version for stage in stages_of(self.pipeline)}
        assert self.names() == ["New", "Proposal", "Won", "Lost"]
        assert [after[pk] - version for pk, version in before.items()] == [0, 1, 0, 0]

    def test_positions_order_the_stages(self):
        self.save(self.url, **{"stages-0-position": 1, "stages-1-position": 0})

        assert self.names() == ["Offer", "New", "Won", "Lost"]

    def test_a_wrong_stage_is_an_error_of_its_row(self):
        response = self.save(self.url, **{"stages-1-probability": 200, "name": "Kept"})

        formset = response.context["inline_admin_formsets"][0].formset
        assert list(formset.forms[1].errors) == ["probability"]
        assert "Kept" in response.content.decode()
        assert Pipeline.objects.get(pk=self.pipeline.pk).name == "Sales"

    def test_a_kind_that_deals_hold_stays(self):
        self.deal()

        response = self.save(self.url, **{"stages-0-kind": "won"})

        assert response.status_code == 200
        assert "its kind cannot be changed" in response.content.decode()

    def test_a_stage_that_came_meanwhile_stays(self):
        from pipelines.services import create_stage

        opened = self.form(self.url)
        create_stage(actor=self.alice, change={"pipeline": self.pipeline.pk, "name": "Hers"})

        self.client.post(self.url, {**opened, "stages-0-name": "Mine"})

        assert self.names() == ["Mine", "Offer", "Won", "Lost", "Hers"]

    def test_a_change_made_in_the_meantime_is_listed(self):
        from pipelines.services import update_stage

        opened = self.form(self.url)
        update_stage(actor=self.alice, stage=self.new, change={"name": "Hers"})

        response = self.client.post(self.url, {**opened, "stages-0-name": "Mine"})

        assert "Alice changed this from “New” to “Hers”" in response.content.decode()
        assert self.names()[0] == "Hers"

    def test_a_stage_with_deals_goes_once_they_are_moved(self):
        deal = self.deal()

        refused = self.client.post(action_url("trash", self.new), {"move_deals_to": ""})
        self.client.post(action_url("trash", self.new), {"move_deals_to": self.offer.pk})

        assert "It has 1 deal. Choose a stage for its deals." in refused.content.decode()
        assert self.names() == ["Offer", "Won", "Lost"]
        assert Deal.objects.get(pk=deal.pk).stage == self.offer

    def test_the_default_pipeline_stays_and_another_goes(self):
        refused = self.client.post(action_url("trash", self.pipeline), {"move_deals_to": ""})
        self.client.post(action_url("trash", self.renewals), {"move_deals_to": ""})

        assert "The default pipeline cannot be removed" in refused.content.decode()
        assert list(Pipeline.objects.visible_to(self.bob.member)) == [self.pipeline]

    def test_a_rep_reads_only(self):
        self.sign_in(self.bob)

        page = self.page(self.url)

        assert 'name="_save"' not in page
        assert "Remove…" not in page
        assert self.client.post(self.url, {"name": "X"}).status_code == 403
        assert self.client.post(action_url("trash", self.new)).status_code == 403


class ReferenceDataTests(StaffTestCase):
    def setUp(self):
        self.sign_in(self.manager)

    def test_a_lost_reason(self):
        LostReasonFactory(actor=self.alice, name="Too dear")

        self.client.post(add_url(LostReason), {"name": "Too late"})
        refused = self.client.post(add_url(LostReason), {"name": "Too dear"})

        assert LostReason.objects.filter(name="Too late").exists()
        assert errors(refused) == {"name": ["There is a lost reason of this name already."]}

    def test_a_custom_field(self):
        data = {
            "kind": "deal",
            "label": "Region",
            "key": "region",
            "type": "select",
            "options": "north\r\nsouth",
        }

        self.client.post(add_url(CustomField), {**data, "position": 0})
        refused = self.client.post(add_url(CustomField), {**data, "key": "Region!", "position": 0})

        row = CustomField.objects.get(key="region")
        assert row.options == ["north", "south"]
        assert list(errors(refused)) == ["key"]
        self.save(change_url(row), options="north\r\nsouth\r\nwest")
        assert CustomField.objects.get(key="region").options == ["north", "south", "west"]

    def test_a_custom_fields_name_in_the_api_follows_from_its_label(self):
        for label, key in (
            ("Propriétaire du budget (k€)", "proprietaire_du_budget_k"),
            ("2. Wahl", "field_2_wahl"),
        ):
            self.client.post(
                add_url(CustomField), {"kind": "deal", "label": label, "type": "text", "position": 0}
            )
            assert CustomField.objects.get(label=label).key == key
        wordless = self.client.post(
            add_url(CustomField), {"kind": "deal", "label": "", "type": "text", "position": 0}
        )
        assert "label" in errors(wordless)

    def test_a_rep_may_not(self):
        self.sign_in(self.bob)

        assert self.client.post(add_url(LostReason), {"name": "X"}).status_code == 403
        assert self.client.get(add_url(CustomField)).status_code == 403


class TrashTests(StaffTestCase):
    """What a manager moves to the trash is found there, and restored."""

    def setUp(self):
        self.sign_in(self.manager)

    def test_pipelines_stages_reasons_and_fields(self):
        rows = [
            self.renewals,
            self.offer,
            LostReasonFactory(actor=self.alice, name="Too dear"),
            CustomFieldFactory(actor=self.alice, label="Region"),
        ]
        for row in rows:
            self.client.post(action_url("trash", row))
            assert not type(row).objects.live().filter(pk=row.pk).exists()
            trash = f"{list_url(type(row))}?trash=only"
            assert str(row) in self.page(trash)
            assert "29 days" in self.page(trash)

            chosen = {"action": "action_restore", "_selected_action": [row.pk]}
            response = self.client.post(trash, chosen)
            self.client.post(response.url)

            assert type(row).objects.live().filter(pk=row.pk).exists(), row

    def test_a_name_taken_in_the_meantime_is_an_error(self):
        reason = LostReasonFactory(actor=self.alice, name="Too dear")
        self.client.post(action_url("trash", reason))
        LostReasonFactory(actor=self.alice, name="Too dear")

        response = self.client.post(action_url("restore", reason))

        assert "There is a lost reason of this name already." in response.content.decode()

    def test_the_lists_say_where_the_trash_is_to_those_who_may_restore(self):
        for model in (Deal, Contact):
            assert "?trash=only" in self.page(list_url(model))
        self.sign_in(self.bob)
        assert "?trash=only" in self.page(list_url(Deal))
        assert "?trash=only" not in self.page(list_url(Pipeline))
        assert self.client.post(action_url("restore", self.offer)).status_code == 403

    def test_empty_ones_say_so(self):
        assert "The trash is empty" in self.page(f"{list_url(LostReason)}?trash=only")
        assert "No lost reasons yet" in self.page(list_url(LostReason))
        assert "Nothing matches" in self.page(f"{list_url(Deal)}?q=nothing")


class ContactTests(StaffTestCase):
    def test_a_person_in_a_company(self):
        company = CompanyFactory(actor=self.bob, name="ACME")

        response = self.client.post(
            add_url(Contact),
            {
                "kind": "person",
                "first_name": "Ann",
                "email": "Ann@Example.com",
                "company": company.pk,
                "name": "hidden",
            },
        )

        assert response.status_code == 302, errors(response)
        person = Contact.objects.get(email="ann@example.com")
        assert (person.full_name, person.company) == ("Ann", company)
        assert "Ann" in self.page(change_url(company))

    def test_a_company_drops_what_the_form_hides(self):
        person = self.person(first_name="Ann", last_name="Bee", email="ann@example.com")

        response = self.save(change_url(person), kind="company", name="Ann Bee Ltd")

        assert response.status_code == 302, errors(response)
        company = Contact.objects.get(pk=person.pk)
        assert (company.full_name, company.first_name) == ("Ann Bee Ltd", "")

    def test_an_address_is_taken_once(self):
        self.person(email="ann@example.com")

        response = self.client.post(
            add_url(Contact), {"kind": "person", "first_name": "B", "email": "ANN@example.com"}
        )

        assert errors(response) == {"email": ["Another contact has this e-mail address."]}

    def test_a_page_shows_the_deals_one_may_see(self):
        company = CompanyFactory(actor=self.bob, name="ACME")
        person = self.person(company=company.pk)
        self.deal(name="Of the person", contact=person.pk)
        self.deal(actor=self.alice, name="Hidden one", client=company.pk, is_private=True)

        page = self.page(change_url(company))

        assert "Of the person" in page
        assert "Hidden one" not in page

    def test_the_page_leads_to_the_company_and_to_the_means_of_reaching_them(self):
        company = CompanyFactory(actor=self.bob, name="ACME", website="javascript:alert(1)")
        person = self.person(
            company=company.pk, email="ann@acme.example", phone="+33 1 23", website="https://acme.example/"
        )

        page = self.page(change_url(person))

        for link in (change_url(company), "mailto:ann@acme.example", "tel:+33 1 23", "https://acme.example/"):
            assert f'href="{link}"' in page
        assert 'href="javascript:' not in self.page(change_url(company))

    def test_a_viewer_reads_of_a_company_what_a_company_has(self):
        company = CompanyFactory(actor=self.bob, name="ACME")
        self.sign_in(self.viewer)

        page = self.page(change_url(company))

        assert "Company name" in page
        assert "First name" not in page

    def test_they_are_found_by_their_owner(self):
        self.person(first_name="Minefield", owner=self.bob.member.pk)
        self.person(first_name="Herring", owner=self.alice.member.pk)

        page = self.page(f"{list_url(Contact)}?owner={self.bob.member.pk}")

        assert "Minefield" in page
        assert "Herring" not in page

    def test_a_contact_in_use_stays(self):
        person = self.person()
        self.deal(contact=person.pk)

        response = self.client.post(action_url("trash", person))

        assert "This contact is used by 1 deal" in response.content.decode()
        assert Contact.objects.get(pk=person.pk).deleted_at is None


class MemberTests(StaffTestCase):
    def setUp(self):
        self.sign_in(self.alice)

    def test_change_the_role(self):
        self.save(change_url(self.bob.member), role="manager")

        assert Member.objects.get(pk=self.bob.member.pk).role == "manager"

    def test_the_last_admin_stays_admin(self):
        response = self.save(change_url(self.alice.member), role="rep")

        assert errors(response)["__all__"] == ["There must be at least one active admin."]

    def test_deactivate_and_hand_over(self):
        deal = self.deal(owner=self.bob.member.pk)
        closed = self.deal(owner=self.bob.member.pk, status="won")
        self.person(owner=self.bob.member.pk)
        self.person(owner=self.bob.member.pk)

        page = self.page(action_url("deactivate", self.bob.member))
        self.client.post(action_url("deactivate", self.bob.member), {"hand_over_to": self.manager.member.pk})

        assert f"{self.bob.member} owns 2 contacts, 1 open deal and 1 closed deal." in page
        assert not Member.objects.get(pk=self.bob.member.pk).is_active
        assert Deal.objects.get(pk=deal.pk).owner == self.manager.member
        assert Deal.objects.get(pk=closed.pk).owner == self.bob.member

    def test_set_a_password(self):
        weak = self.client.post(action_url("password", self.bob.member), {"password": "short"})
        self.client.post(action_url("password", self.bob.member), {"password": "a rather long one"})

        assert weak.status_code == 200
        assert User.objects.get(pk=self.bob.member.user_id).check_password("a rather long one")

    def test_change_the_name_where_the_login_is_ours_alone(self):
        self.client.post(action_url("rename", self.bob.member), {"full_name": "Bob Brown"})
        add_member(actor=None, organization=self.charlie.organization, user=self.bob.member.user)
        refused = self.client.post(action_url("rename", self.bob.member), {"full_name": "Robert"})

        assert "belongs to other organizations" in refused.content.decode()
        assert User.objects.get(pk=self.bob.member.user_id).full_name == "Bob Brown"

    def test_others_read_only(self):
        self.sign_in(self.manager)

        assert "Bob" in self.page(list_url(Member))
        assert self.client.post(change_url(self.bob.member), {"role": "admin"}).status_code == 403
        for action in ("rename", "password", "deactivate", "activate"):
            assert self.client.post(action_url(action, self.bob.member)).status_code == 403


class TokenTests(StaffTestCase):
    def test_a_token_is_created_displayed_once_and_revoked(self):
        response = self.client.post(add_url(ApiToken), {"name": "Shop", "scopes": ["read", "write"]})

        secret = response.context["secret"]
        token = ApiToken.objects.get(name="Shop")
        assert secret in response.content.decode()
        assert authenticate_token(secret).member == self.bob.member
        assert secret not in self.page(change_url(token))
        assert secret not in self.page(list_url(ApiToken))
        self.client.post(action_url("revoke", token))
        assert authenticate_token(secret) is None

    def test_ones_own_alone(self):
        response = self.client.post(
            add_url(ApiToken), {"name": "Forged", "scopes": ["read"], "member": self.alice.member.pk}
        )

        assert response.status_code == 200
        assert ApiToken.objects.get(name="Forged").member == self.bob.member

    def test_an_admin_makes_one_for_another(self):
        self.sign_in(self.alice)

        self.client.post(
            add_url(ApiToken), {"name": "For Bob", "scopes": ["read"], "member": self.bob.member.pk}
        )

        assert ApiToken.objects.get(name="For Bob").member == self.bob.member

    def test_without_scopes_it_is_refused(self):
        response = self.client.post(add_url(ApiToken), {"name": "X"})

        assert list(errors(response)) == ["scopes"]


class OperatorTests(StaffTestCase):
    def setUp(self):
        self.sign_in(self.operator)

    def test_open_an_organization(self):
        data = {
            "name": "New Ltd",
            "currency": "pln",
            "time_zone": "Europe/Warsaw",
            "owner_email": "boss@example.com",
        }

        response = self.client.post(add_url(Organization), {**data, "owner_password": "a rather long one"})

        assert response.status_code == 302, errors(response)
        organization = Organization.objects.get(name="New Ltd")
        assert organization.currency == "PLN"
        assert Member.objects.get(organization=organization).role == "admin"
        assert Pipeline.objects.filter(organization=organization, is_default=True).exists()
        assert self.client.login(email="boss@example.com", password="a rather long one")

    def test_logins(self):
        self.client.post(add_url(User), {"email": "X@example.com", "is_active": "on"})
        login = User.objects.get(email="x@example.com")

        self.save(change_url(login), full_name="Xenia")
        taken = self.save(change_url(login), email="bob@example.com")
        last = self.save(change_url(self.operator), is_superuser="")
        self.client.post(action_url("password", login), {"password": "a rather long one"})

        login.refresh_from_db()
        assert login.full_name == "Xenia"
        assert list(errors(taken)) == ["email"]
        assert errors(last)["__all__"] == ["There must be at least one active operator."]
        assert login.check_password("a rather long one")

    def test_the_form_of_an_organization_has_its_values(self):
        stored = {"currency": "PLN", "time_zone": "Europe/Warsaw", "country": "PL", "language": "pl"}
        Organization.objects.filter(pk=self.organization.pk).update(**stored)
        self.sign_in(self.alice)

        form = self.client.get(change_url(self.organization)).context["adminform"].form
        self.save(change_url(self.organization), name="Renamed", time_zone="UTC")

        assert {name: form[name].value() for name in stored} == stored
        self.organization.refresh_from_db()
        assert (self.organization.time_zone, self.organization.currency) == ("UTC", "PLN")

    def test_an_admin_changes_the_own_organization_alone(self):
        self.sign_in(self.alice)

        self.save(change_url(self.organization), time_zone="Europe/Paris", country="BE", language="fr")

        saved = Organization.objects.get(pk=self.organization.pk)
        assert (saved.time_zone, saved.country, saved.language) == ("Europe/Paris", "BE", "fr")
        assert self.client.post(change_url(self.charlie.organization), {"name": "X"}).status_code in (
            302,
            403,
        )
        assert Organization.objects.get(pk=self.charlie.organization_id).name == "Charlie Ltd"
