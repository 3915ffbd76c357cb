"""ONLYOFFICE's answers as XML."""

from typing import Any
from xml.etree import ElementTree

from tests.dialects.base import BaseTestCase, Call
from tests.dialects.onlyoffice.base import CRM, Onlyoffice


class TestXml(Onlyoffice, BaseTestCase):
    def xml(self, method: str, path: str, body: Any = None, **query: str) -> Any:
        """A form's answer, as JSON would be answered in JSON."""
        form = "application/x-www-form-urlencoded"
        answer = self.as_actor(self.bob, Call(method, f"{CRM}{path}", body, query=query, content_type=form))
        assert answer["Content-Type"] == "text/xml; charset=utf-8"
        root = ElementTree.fromstring(answer.content)
        assert root.tag == "result"
        assert int(root.findtext("statusCode") or 0) == answer.status_code
        return root

    def test_it_has_the_content_of_json(self) -> None:
        made = self.create(bidType=4, bidValue=10.5, perPeriodValue=2, title='<Hôtel> & "more"')

        root = self.xml("GET", f"/opportunity/{made['id']}.xml")

        [shown] = root.findall("response")
        assert [element.tag for element in root] == ["count", "status", "statusCode", "response"]
        assert [element.tag for element in shown] == list(made)
        assert (shown.findtext("title"), shown.findtext("bidValue")) == ('<Hôtel> & "more"', "10.5")
        assert (shown.findtext("isPrivate"), shown.findtext("stage/title")) == ("true", "New")
        assert [row.findtext("id") for row in shown.findall("members")] == [str(self.ann.pk)]

    def test_a_list_is_its_element_again_and_again(self) -> None:
        for name in ("One", "Two"):
            self.deal(name=name)

        root = self.xml("GET", "/opportunity/filter.xml", sortBy="title")
        assert (root.findtext("count"), root.findtext("total")) == ("2", "2")
        assert [row.findtext("title") for row in root.findall("response")] == ["One", "Two"]

        assert self.xml("GET", "/opportunity/filter.xml", filterValue="nothing").findall("response") == []

    def test_what_xml_cannot_write_is_replaced_and_line_ends_stay(self) -> None:
        deal = self.deal(name="a\x0bb\r\nc")

        root = self.xml("GET", f"/opportunity/{deal.pk}.xml")

        assert root.findtext("response/title") == "a\N{REPLACEMENT CHARACTER}b\r\nc"

    def test_refusals_are_xml_too(self) -> None:
        for method, path, body, status in (
            ("GET", "/opportunity/999999.xml", None, "404"),
            ("PATCH", "/opportunity.xml", None, "405"),
            ("POST", "/opportunity.xml", b"title=", "400"),
        ):
            root = self.xml(method, path, body)

            assert (root.findtext("status"), root.findtext("statusCode")) == ("1", status)
            assert root.findtext("error/message")
            assert root.findtext("error/data") == ""

    def test_a_body_in_json_is_answered_in_json(self) -> None:
        answer = self.as_actor(self.bob, Call("POST", f"{CRM}/opportunity.xml", self.body()))

        assert (answer.status_code, answer.json()["statusCode"]) == (201, 201)
