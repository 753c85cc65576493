#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""TD_COAP_BLOCK_01 to 06 of the ETSI CoAP plugtests, each with Hermod's client, libcoap's and a
script: every block of every message (RFC 7959), and that what arrives is the whole in order."""
from coap_wire import ACK, BLOCK1, BLOCK2, CON, ETAG, LOCATION_PATH, Endpoint, block
from plugtest import PlugtestTest, Want, each_client
from processes import main


def numbered(word, octets):
    """What the server's large resources hold."""
    text, number = "", 0
    while len(text) < octets:
        number += 1
        text += f"{number:04} {word}\n"
    return text


LARGE = numbered("large", 1700)
MINE = numbered("mine", 1500)


class Block(PlugtestTest):
    def pairs(self, client, want):
        """Lets a client ask: each request with its response, and what it shows."""
        self.tap.start()
        shown = client.run(want)
        requests, responses = [], {}
        for one in self.tap.messages():
            if one.message.is_request:
                requests.append(one.message)
            else:
                self.assertEqual(one.message.kind, ACK)
                responses[one.message.mid] = one.message
        for request in requests:
            self.assertEqual((request.kind, request.path), (CON, want.path.split("/")[1:]))
            self.assertEqual(responses[request.mid].token, request.token)
        return [(request, responses[request.mid]) for request in requests], shown

    def check_download(self, pairs, code, whole, offset=0):
        """Blocks of a response: each request names the next one, each response is that one, full
        but for the last, and together they are the whole."""
        tags = set()
        for request, response in pairs:
            self.assertEqual(response.code, code)
            number, more, size = response.block(BLOCK2)
            if request.block(BLOCK2):
                asked, asked_more, asked_size = request.block(BLOCK2)
                self.assertLessEqual(size, asked_size)
                self.assertEqual((asked * asked_size, asked_more), (offset, 0))
            self.assertEqual(number * size, offset)
            self.assertEqual(response.payload, whole[offset:offset + size].encode())
            offset += len(response.payload)
            self.assertEqual(more, offset < len(whole))
            self.assertTrue(not more or len(response.payload) == size)
            tags.update(response.all(ETAG))
        self.assertEqual(offset, len(whole))
        self.assertEqual(len(tags), 1)

    def check_upload(self, pairs, whole, method, *codes):
        """Blocks of a request: each is full but for the last, the response names it, 2.31 until the
        last one, which is answered with one of `codes`."""
        offset = 0
        for request, response in pairs:
            number, more, size = request.block(BLOCK1)
            self.assertEqual(request.code, method)
            self.assertEqual(number * size, offset)
            self.assertEqual(request.payload, whole[offset:offset + size].encode())
            offset += len(request.payload)
            self.assertEqual(more, offset < len(whole))
            self.assertTrue(not more or len(request.payload) == size)
            self.assertEqual(response.block(BLOCK1), (number, more, size))
            if more:
                self.assertEqual((response.code, response.payload), ("2.31", b""))
            else:
                self.assertIn(response.code, codes)
        self.assertEqual(offset, len(whole))

    def download(self, client, size):
        pairs, shown = self.pairs(client, Want("get", "/large", size=size))
        if size:
            self.assertEqual(pairs[0][0].block(BLOCK2), (0, 0, size))
            self.assertEqual(pairs[0][1].block(BLOCK2), (0, 1, size))
            self.assertEqual(len(pairs), -(-len(LARGE) // size))
        else:
            self.assertIsNone(pairs[0][0].block(BLOCK2))
            self.assertGreater(len(pairs), 1)
        self.check_download(pairs, "2.05", LARGE)
        self.assertIn(LARGE, shown)

    @each_client
    def test_TD_COAP_BLOCK_01_early(self, client):
        self.download(client, 64)

    @each_client
    def test_TD_COAP_BLOCK_02_late(self, client):
        self.download(client, None)
        # The client may go on in smaller blocks than the first one.
        endpoint = Endpoint(self.server.port)
        self.addCleanup(endpoint.close)
        first = endpoint.ask("0.01", "/large")
        self.assertEqual(first[1].block(BLOCK2), (0, 1, 1024))
        rest = [endpoint.ask("0.01", "/large", [(BLOCK2, block(number, 0, 128))])
                for number in range(8, -(-len(LARGE) // 128))]
        self.check_download([first, *rest], "2.05", LARGE)

    @each_client
    def test_TD_COAP_BLOCK_03_put(self, client):
        text = numbered(f"of {client.name}", 1500)
        pairs, _ = self.pairs(client, Want("put", "/large-update", text, size=64, form=0))
        self.check_upload(pairs, text, "0.03", "2.04")
        self.assertGreater(len(pairs), 20)
        self.assertIn(text, client.run(Want("get", "/large-update")))

    @each_client
    def test_TD_COAP_BLOCK_04_post(self, client):
        text = numbered(f"of {client.name}", 1500)
        pairs, _ = self.pairs(client, Want("post", "/large-create", text, size=64, form=0))
        self.check_upload(pairs, text, "0.02", "2.01")
        place = [part.decode() for part in pairs[-1][1].all(LOCATION_PATH)]
        self.assertEqual((len(place), place[0]), (2, "large-create"))
        self.assertNotIn("/", place[0] + place[1])
        self.assertIn(text, client.run(Want("get", "/" + "/".join(place))))

    @each_client
    def test_TD_COAP_BLOCK_05_both_ways(self, client):
        pairs, shown = self.pairs(client, Want("post", "/large-post", MINE, size=64, form=0))
        sent = [pair for pair in pairs if pair[0].block(BLOCK1)]
        fetched = [pair for pair in pairs if not pair[0].block(BLOCK1)]
        self.check_upload(sent, MINE, "0.02", "2.04")
        for request, _ in fetched:
            self.assertEqual((request.code, request.payload), ("0.02", b""))
        # The first block of the response came with the last one of the request.
        self.check_download([sent[-1], *fetched], "2.04", MINE.upper())
        self.assertIn(MINE.upper(), shown)

    @each_client
    def test_TD_COAP_BLOCK_06_sixteen_octets(self, client):
        self.download(client, 16)


if __name__ == "__main__":
    main()
