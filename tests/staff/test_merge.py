"""Contacts side by side in the admin, the warning while one is typed, and a row for each further address."""

from django.urls import reverse

from contacts.models import Contact
from deals.models import Deal
from tests.factories import CompanyFactory, CustomFieldFactory
from tests.staff.base import StaffTestCase, action_url, add_url, change_url, list_url


class MergeTests(StaffTestCase):
    def setUp(self):
        super().setUp()
        CustomFieldFactory(actor=self.alice, kind="contact", key="shoe", label="Shoe size")
        self.ann = self.person(first_name="Ann", last_name="Lee", email="ann@example.com", city="Wien")
        self.anne = self.person(
            first_name="Anne", last_name="Lee", email="anne@example.com", custom_fields={"shoe": "41"}
        )
        self.url = action_url("merge", self.ann, self.anne)

    def send(self, **given):
        page = self.client.get(self.url)
        form = page.context["form"]
        typed = {name: field.initial for name, field in form.fields.items()}
        hidden = {name: page.context[name] for name in ("chosen", "form_key")}
        return self.client.post(self.url, {**typed, **hidden, **given}, follow=True)

    def test_the_page_shows_where_they_differ(self):
        form = self.client.get(self.url).context["form"]

        assert list(form.fields) == ["target", "first_name", "email", "city", "custom_fields.shoe"]
        assert form.fields["city"].choices == [(self.ann.pk, "Wien"), (self.anne.pk, "—")]
        assert form.fields["custom_fields.shoe"].initial == self.anne.pk

    def test_it_works(self):
        deal = self.deal(contact=self.anne.pk)

        page = self.send(first_name=self.anne.pk)

        assert page.redirect_chain[-1][0] == change_url(self.ann)
        ann = Contact.objects.get(pk=self.ann.pk)
        assert (ann.full_name, ann.city, ann.custom_fields) == ("Anne Lee", "Wien", {"shoe": "41"})
        assert ann.further_emails == ["anne@example.com"]
        assert Deal.objects.get(pk=deal.pk).contact == ann
        assert "2 contacts: merged. Also changed: 1 deal." in page.content.decode()

    def test_the_other_one_may_be_kept(self):
        self.send(target=self.anne.pk)

        assert Contact.objects.get(pk=self.ann.pk).merged_into == self.anne

    def test_hidden_deals_are_not_counted_and_one_click_takes_it_back(self):
        hidden = self.deal(self.alice, contact=self.anne.pk, is_private=True, name="Secret")

        page = self.send()

        text = page.content.decode()
        assert "2 contacts: merged." in text
        assert "Also changed" not in text
        assert "Secret" not in text
        assert Deal.objects.get(pk=hidden.pk).contact == self.ann
        undo = text.partition("/undo/")[2].partition("/")[0]
        url = reverse("admin:undo", args=[int(undo)])
        question = self.client.get(url)
        assert "Secret" not in question.content.decode()
        self.client.post(url, {"form_key": question.context["form_key"]})
        assert Deal.objects.get(pk=hidden.pk).contact == self.anne
        assert Contact.objects.get(pk=self.anne.pk).deleted_at is None

    def test_the_list_offers_it(self):
        chosen = {"action": "action_merge", "_selected_action": [self.ann.pk, self.anne.pk]}

        answer = self.client.post(list_url(Contact), chosen)

        assert f"ids={self.ann.pk},{self.anne.pk}" in answer["Location"]

    def test_it_rejects_one_alone_and_a_person_with_a_company(self):
        company = CompanyFactory(actor=self.bob)
        for rows in ([self.ann], [self.ann, company]):
            url = action_url("merge", *rows)
            page = self.client.get(url)
            assert page.context["form"].fields == {}
            answer = self.client.post(url, {"form_key": page.context["form_key"]})
            assert answer.status_code == 200
            assert answer.context["form"].non_field_errors()
        assert Contact.objects.visible_to(self.bob.member).count() == 3

    def test_a_viewer_may_not(self):
        self.sign_in(self.viewer)

        assert self.client.get(self.url).status_code == 403

    def test_somebody_saved_meanwhile(self):
        page = self.client.get(self.url)
        form = {name: field.initial for name, field in page.context["form"].fields.items()}
        hidden = {name: page.context[name] for name in ("chosen", "form_key")}
        Contact.objects.filter(pk=self.ann.pk).update(version=7)

        answer = self.client.post(self.url, {**form, **hidden})

        assert answer.context["form"].non_field_errors()
        assert Contact.objects.get(pk=self.anne.pk).deleted_at is None


class WarningTests(StaffTestCase):
    url = "/admin/contacts/contact/duplicates/"

    def found(self, **typed):
        answer = self.client.get(self.url, typed)
        assert answer.status_code == 200
        return answer.content.decode()

    def test_it_names_contacts_with_something_in_common(self):
        ann = self.person(first_name="Ann", last_name="Lee", further_phones=["+43 1 5550001"])
        for typed in (
            {"first_name": "ANN", "last_name": "lée"},
            {"phone": "0043 1 5550001"},
            {"email": ann.email.upper()},
        ):
            with self.subTest(typed):
                text = self.found(**typed)
                assert change_url(ann) in text
                assert "Merge" not in text

    def test_nothing_in_common_is_an_empty_part(self):
        assert self.found().strip() == ""
        assert self.found(first_name="Nobody", kind="person", email="x" * 5000).strip() == ""

    def test_a_saved_contact_is_not_its_own_duplicate_and_can_be_merged(self):
        ann, other = (self.person(first_name="Ann", last_name="Lee") for _ in range(2))

        text = self.found(first_name="Ann", last_name="Lee", row=ann.pk)

        assert change_url(other) in text
        assert f"ids={ann.pk},{other.pk}" in text
        assert change_url(ann) not in text

    def test_other_organizations_are_not_named(self):
        self.person(self.charlie, first_name="Ann", last_name="Lee")

        assert self.found(first_name="Ann", last_name="Lee").strip() == ""

    def test_the_forms_ask_for_it(self):
        for url in (add_url(Contact), add_url(Deal)):
            text = self.page(url)
            assert f'data-duplicates="{self.url}"' in text
            assert "contacts/duplicates" in text


class AddressTests(StaffTestCase):
    def test_a_row_for_each_address_and_an_empty_one(self):
        ann = self.person(further_emails=["a@home.example", "b@home.example"])

        page = self.page(change_url(ann))

        assert page.count('name="further_emails"') == 3
        assert page.count('name="further_phones"') == 1

    def test_rows_are_added_and_emptied(self):
        ann = self.person(further_emails=["a@home.example", "b@home.example"])

        self.save(change_url(ann), further_emails=["", "b@home.example", "New@Home.example", ""])

        row = Contact.objects.get(pk=ann.pk)
        assert row.further_emails == ["b@home.example", "new@home.example"]
        assert row.version == 2

    def test_saving_what_was_shown_changes_nothing(self):
        ann = self.person(further_emails=["a@home.example"], further_phones=["+43 1 5550001"])

        self.save(change_url(ann))

        assert Contact.objects.get(pk=ann.pk).version == 1

    def test_a_wrong_address_is_an_error_of_the_field(self):
        answer = self.save(change_url(self.person()), further_emails=["no"])

        assert "further_emails" in answer.context["adminform"].form.errors
        assert 'value="no"' in answer.content.decode()
