"""Drive the package gohighlevel-api, whose models are typed: an answer that does not fit them raises.

Arguments: base URL, token, location. Prints the results as JSON.
"""

import json
import sys

from gohighlevel_api import AuthenticatedClient
from gohighlevel_api.api.contacts import (
    create_contact,
    delete_contact,
    get_contact,
    get_contacts,
    update_contact,
    upsert_contact,
)
from gohighlevel_api.api.search import get_duplicate_contact
from gohighlevel_api.api.tags import add_tags, remove_tags
from gohighlevel_api.models.create_contact_dto import CreateContactDto
from gohighlevel_api.models.tags_dto import TagsDTO
from gohighlevel_api.models.update_contact_dto import UpdateContactDto
from gohighlevel_api.models.upsert_contact_dto import UpsertContactDto

base_url, token, location = sys.argv[1:]
client = AuthenticatedClient(base_url=base_url, token=token, raise_on_unexpected_status=True)
VERSION = "2021-07-28"
ANN = {"firstName": "Ann", "lastName": "Lee", "email": "ann@x.io", "phone": "+33 1 55 96 02 43"}


def sent(function, *arguments, **named):
    answer = function.sync_detailed(*arguments, client=client, version=VERSION, **named)
    assert answer.status_code < 300, (function.__name__, answer)
    return answer.parsed.to_dict() if hasattr(answer.parsed, "to_dict") else json.loads(answer.content)


results = {}
body = {**ANN, "locationId": location}
results["created"] = sent(create_contact, body=CreateContactDto.from_dict(body))["contact"]
row_id = results["created"]["id"]
results["read"] = sent(get_contact, row_id)["contact"]
results["updated"] = sent(update_contact, row_id, body=UpdateContactDto.from_dict({"city": "Rome"}))[
    "contact"
]
results["upserted"] = sent(upsert_contact, body=UpsertContactDto.from_dict({**body, "country": "FR"}))
results["listed"] = sent(get_contacts, location_id=location)["contacts"]
results["duplicate"] = sent(get_duplicate_contact, location_id=location, number="0155960243")
results["tagged"] = sent(add_tags, row_id, body=TagsDTO.from_dict({"tags": ["vip"]}))
results["untagged"] = sent(remove_tags, row_id, body=TagsDTO.from_dict({"tags": ["vip"]}))
results["deleted"] = sent(delete_contact, row_id)
print(json.dumps(results, default=str))
