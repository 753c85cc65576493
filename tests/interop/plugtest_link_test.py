#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""TD_COAP_LINK_01 to 09 of the ETSI CoAP plugtests, each with Hermod's client, libcoap's and a
script: what a server answers to a discovery (RFC 6690 §4.1), and what the client shows of it."""
import re

from coap_wire import CONTENT_FORMAT, LINKS, URI_QUERY
from plugtest import PlugtestTest, Want, each_client
from processes import main

CORE = "/.well-known/core"
LISTED = {
    "/test", "/seg1/seg2/seg3", "/query", "/separate", "/location-query", "/multi-format",
    "/validate", "/large", "/large-update", "/large-create", "/large-post", "/obs", "/obs-non",
    "/obs-large", "/obs-pumping", "/link1", "/link2", "/link3", "/path"}


def read_links(text):
    """{target: {attribute: value}} of a list without commas or quotes within values."""
    links = {}
    for one in re.findall(r"<[^>]*>(?:;[\w-]+(?:=(?:\"[^\"]*\"|[^;,\n]*))?)*", text):
        target, *attributes = one.split(";")
        links[target[1:-1]] = {name: value.strip('"') for name, _, value in (
            attribute.partition("=") for attribute in attributes)}
    return links


class Link(PlugtestTest):
    def links(self, client, path):
        """Asks for a list and returns its links, as the client shows them."""
        request, response, shown = self.exchange(client, Want("get", path))
        self.check_answer(request, response, "2.05", payload=True)
        self.assertEqual(response.first(CONTENT_FORMAT), LINKS)
        _, _, query = path.partition("?")
        self.assertEqual(request.all(URI_QUERY), [query.encode()] if query else [])
        return read_links(shown)

    def filtered(self, client, query, *expected):
        """A filter leaves exactly these links."""
        self.assertEqual(set(self.links(client, f"{CORE}?{query}")), set(expected))

    @each_client
    def test_TD_COAP_LINK_01_everything(self, client):
        links = self.links(client, CORE)
        self.assertEqual(set(links), LISTED)
        self.assertEqual(links["/multi-format"]["ct"], "0 41 50 60")
        self.assertEqual([path for path in links if "obs" in links[path]],
                         ["/obs", "/obs-large", "/obs-non", "/obs-pumping"])

    @each_client
    def test_TD_COAP_LINK_02_type(self, client):
        self.filtered(client, "rt=Type1", "/link1", "/link3")

    @each_client
    def test_TD_COAP_LINK_03_any_type(self, client):
        self.filtered(client, "rt=*", "/link1", "/link2", "/link3")

    @each_client
    def test_TD_COAP_LINK_04_one_of_several_types(self, client):
        self.filtered(client, "rt=Type2", "/link1", "/link2")

    @each_client
    def test_TD_COAP_LINK_05_interface_prefix(self, client):
        self.filtered(client, "if=If*", "/link1", "/link2")

    @each_client
    def test_TD_COAP_LINK_06_size(self, client):
        self.filtered(client, "sz=*", "/large", "/large-update")

    @each_client
    def test_TD_COAP_LINK_07_target(self, client):
        self.filtered(client, "href=/link1", "/link1")

    @each_client
    def test_TD_COAP_LINK_08_target_prefix(self, client):
        self.filtered(client, "href=/link*", "/link1", "/link2", "/link3")

    @each_client
    def test_TD_COAP_LINK_09_hierarchy(self, client):
        index = [path for path, about in self.links(client, f"{CORE}?ct=40").items()
                 if about["ct"] == "40"]
        self.assertEqual(index, ["/path"])
        below = self.links(client, index[0])
        self.assertEqual(set(below), {"/path/sub1", "/path/sub2", "/path/sub3"})
        for path in below:
            request, response, shown = self.exchange(client, Want("get", path))
            self.check_answer(request, response, "2.05", payload=True)
            self.assertIn(path, shown)


if __name__ == "__main__":
    main()
