"""On PostgreSQL, on 20,000 deals and contacts: a page of the usual lists is read from an index that the organization
leads, and a search for a word that few rows or none have from the index of trigrams."""

import re

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from rest_framework.test import APIClient

from contacts.models import Contact
from contacts.services import companies_by_name, create_contacts
from crm_project.accounts.actors import Actor
from crm_project.accounts.models import Member, User
from crm_project.accounts.rules import Role
from crm_project.records.text import fold, search_text
from deals.models import Deal
from deals.services import create_deals
from tests.load.loading import load

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.slow,
    pytest.mark.skipif("connection.vendor != 'postgresql'", reason="SQLite has other plans"),
]
DEALS = 20_000


def test_a_page_is_read_from_an_index_of_the_organization():
    loaded = load(deals=DEALS)
    deals = Deal.objects.filter(organization=loaded.organization)
    stages = deals.order_by().values_list("stage", flat=True).distinct()[:2]
    # A few without owner and without amount: the other rows must not be read to find them.
    some = list(deals.order_by("id").values_list("pk", flat=True)[100:160])
    deals.filter(pk__in=some).update(owner=None, amount=None, amount_gross=None)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    led = {index.name for index in Deal._meta.indexes if index.fields_orders[:1] == [("organization", "")]}
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {loaded.token}")

    for query in (
        "",
        f"stage={','.join(map(str, stages))}",
        "owner=none",
        "ordering=amount",
        "ordering=-amount",
        "ordering=-expected_close_date",
        "ordering=closed_at",
        "ordering=-closed_at",
    ):
        with CaptureQueriesContext(connection) as captured:
            assert client.get(f"/api/deals?{query}").status_code == 200
        lists = [entry["sql"] for entry in captured if 'FROM "deals_deal"' in entry["sql"]]
        pages = [sql for sql in lists if re.search(r"LIMIT \d+$", sql)]
        assert pages, query
        for sql in pages:
            plan = plan_of(sql)
            assert "Seq Scan on deals_deal" not in plan, f"{query}\n{plan}"
            used = set(re.findall(r"Scan (?:Backward )?using (deals_deal_\w+) on deals_deal", plan))
            assert used & led, f"{query}\n{plan}"


def test_companies_are_found_by_name_in_an_index():
    loaded = load(deals=100)
    names = [f"Café {n}" for n in range(DEALS)]
    companies = [
        Contact(
            organization=loaded.organization,
            kind="company",
            name=name,
            full_name=name,
            name_folded=fold(name),
        )
        for name in names
    ]
    Contact.objects.bulk_create(companies, batch_size=1000)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    actor = Actor(Member.objects.filter(organization=loaded.organization).latest("id"))

    with CaptureQueriesContext(connection) as captured:
        found = companies_by_name(actor, [name.upper() for name in names[:200]])

    assert all(found.values())
    plan = plan_of(captured[-1]["sql"])
    assert "contacts_contact_name_folded" in plan, plan
    assert "Seq Scan on contacts_contact" not in plan, plan


def plan_of(sql):
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN {sql}")
        return "\n".join(line for (line,) in cursor.fetchall())


def test_a_word_of_few_rows_is_found_by_the_index_of_trigrams():
    loaded = load(deals=DEALS)
    seller = Member.objects.filter(organization=loaded.organization).latest("id")
    Member.objects.filter(pk=seller.pk).update(role=Role.ADMIN)
    User.objects.filter(pk=seller.user_id).update(is_staff=True)
    actor = Actor(Member.objects.get(pk=seller.pk))
    names = [Contact(organization=loaded.organization, first_name=f"Ann {n}") for n in range(DEALS)]
    for contact in names:
        contact.full_name = contact.first_name
        contact.search_text = search_text([contact.first_name])
    Contact.objects.bulk_create(names, batch_size=1000)
    create_deals(actor=actor, changes=[{"name": "Quetzalcoatl roof"}])
    create_contacts(actor=actor, changes=[{"first_name": "Quetzalcoatl"}])
    with connection.cursor() as cursor:
        # As autovacuum does after a load: rows that wait to be indexed are read one by one.
        cursor.execute("SELECT gin_clean_pending_list('contacts_contact_search')")
        cursor.execute("SELECT gin_clean_pending_list('deals_deal_search')")
        cursor.execute("ANALYZE")
    client, browser = APIClient(), Client()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {loaded.token}")
    browser.force_login(seller.user)
    both = ("deals_deal", "contacts_contact")
    doors = (
        (client, "/api/deals?q={}", both[:1]),
        (client, "/api/contacts?q={}", both[1:]),
        (browser, f"{reverse('admin:deals_deal_changelist')}?q={{}}", both[:1]),
        (browser, f"{reverse('admin:contacts_contact_changelist')}?q={{}}", both[1:]),
        (browser, f"{reverse('admin:search')}?s={{}}", both),
    )

    for caller, door, tables in doors:
        for word in ("quetzalcoatl", "zyxwvutsrq"):
            with CaptureQueriesContext(connection) as captured:
                assert caller.get(door.format(word)).status_code == 200
            searches = [entry["sql"] for entry in captured if f"%{word}%" in entry["sql"]]
            for table in tables:
                found = [sql for sql in searches if sql.partition(" FROM ")[2].startswith(f'"{table}"')]
                assert found, (door, word, table)
                for sql in found:
                    plan = plan_of(sql)
                    assert f"Bitmap Index Scan on {table}_search" in plan, f"{door} {word}\n{plan}"
