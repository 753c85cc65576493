# SPDX-License-Identifier: Apache-2.0
"""Eclipse Paho's client (python3-paho-mqtt) as peers.Peer: the same functions and the same fields.

All clients of a test take turns in one thread: whoever waits lets each of them work.
"""
import itertools
import select
import time

from paho.mqtt import client as paho
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCodes
from paho.mqtt.subscribeoptions import SubscribeOptions

from processes import PATIENCE_S

VERSIONS = {"31": paho.MQTTv31, "311": paho.MQTTv311, "5": paho.MQTTv5}
# Ours -> Paho's.
OF_CONNECT = {"session_expiry": "SessionExpiryInterval", "receive_max": "ReceiveMaximum",
              "packet_max": "MaximumPacketSize", "alias_max": "TopicAliasMaximum",
              "problem": "RequestProblemInformation", "user": "UserProperty"}
OF_CONNACK = {"assigned": "AssignedClientIdentifier", "session_expiry": "SessionExpiryInterval",
              "keep_alive": "ServerKeepAlive", "receive_max": "ReceiveMaximum",
              "packet_max": "MaximumPacketSize", "alias_max": "TopicAliasMaximum",
              "qos_max": "MaximumQoS", "has_retain": "RetainAvailable",
              "has_wildcards": "WildcardSubscriptionAvailable",
              "has_ids": "SubscriptionIdentifierAvailable",
              "has_shared": "SharedSubscriptionAvailable", "reason": "ReasonString"}
OF_MESSAGE = {"content_type": "ContentType", "response_topic": "ResponseTopic",
              "correlation": "CorrelationData", "expiry": "MessageExpiryInterval",
              "text": "PayloadFormatIndicator", "user": "UserProperty"}
OF_WILL = {"delay": "WillDelayInterval", **OF_MESSAGE}
OF_END = {"reason": "ReasonString", "reference": "ServerReference"}


def properties_of(packet, names, options, prefix=""):
    """The options that are properties of this packet; they are taken out."""
    properties = Properties(packet)
    for ours, theirs in names.items():
        value = options.pop(prefix + ours, None)
        if value is not None:
            setattr(properties, theirs, int(value) if isinstance(value, bool) else value)
    return properties


def fields_of(properties, names):
    return {ours: getattr(properties, theirs) for ours, theirs in names.items()
            if properties is not None and hasattr(properties, theirs)}


class Client(paho.Client):
    """Keeps what acknowledgements say, which Paho reads and forgets."""

    def __init__(self, *arguments, **options):
        super().__init__(*arguments, **options)
        self.acks = {}

    def _keep_ack(self, kind):
        packet = self._in_packet["packet"]
        number = int.from_bytes(packet[:2], "big")
        ack = {"code": packet[2] if len(packet) > 2 else 0}
        if len(packet) > 3:
            properties = Properties(kind)
            properties.unpack(packet[3:])
            ack.update(fields_of(properties, OF_END))
        self.acks.setdefault(number, ack)  # of QoS 2, PUBREC has the code

    def _handle_pubackcomp(self, cmd):
        self._keep_ack(PacketTypes.PUBACK)
        return super()._handle_pubackcomp(cmd)

    def _handle_pubrec(self):
        self._keep_ack(PacketTypes.PUBREC)
        return super()._handle_pubrec()


class PahoPeer:
    def __init__(self, peers, name, port, version):
        self.peers, self.name, self.port, self.version = peers, name, port, version
        self.client = None
        self.answers, self.messages, self.ends, self.topics = {}, [], [], {}
        self.own_aliases, self.own_aliases_max = {}, 0

    @property
    def v5(self):
        return self.version == "5"

    def connect(self, client_id="", clean=True, keep_alive=60, user_name=None, password=None,
                **options):
        self.client = Client(client_id, protocol=VERSIONS[self.version],
                             clean_session=None if self.v5 else clean)
        self.client.on_connect = self._on_connect
        self.client.on_message = self._on_message
        self.client.on_disconnect = self._on_disconnect
        self.client.on_subscribe = lambda c, u, mid, granted, *more: self.answers.update(
            {mid: {"codes": [getattr(code, "value", code) for code in granted]}})
        self.client.on_unsubscribe = self._on_unsubscribe
        self.client.on_publish = lambda c, u, mid: self.answers.update(
            {mid: self.client.acks.pop(mid, {"code": 0})})
        if user_name is not None:
            self.client.username_pw_set(user_name, password)
        if "will_topic" in options:
            self.client.will_set(
                options.pop("will_topic"), options.pop("will_payload", b""),
                options.pop("will_qos", 0), options.pop("will_retain", False),
                properties_of(PacketTypes.WILLMESSAGE, OF_WILL, options, "will_")
                if self.v5 else None)
        self.own_aliases_max = options.pop("own_alias_max", 0)
        more = {}
        if self.v5:
            more = {"clean_start": clean,
                    "properties": properties_of(PacketTypes.CONNECT, OF_CONNECT, options)}
        assert not options, options
        self.client.connect("127.0.0.1", self.port, keep_alive, **more)
        return self._answer("connect")

    def subscribe(self, topic, qos=0, id=None, **options):
        if not self.v5:
            return self._answer(self.client.subscribe(topic, qos)[1])
        flags = SubscribeOptions(qos, noLocal=options.get("no_local", False),
                                 retainAsPublished=options.get("as_published", False),
                                 retainHandling=options.get("retain_handling", 0))
        properties = Properties(PacketTypes.SUBSCRIBE)
        if id is not None:
            properties.SubscriptionIdentifier = id
        return self._answer(self.client.subscribe(topic, options=flags, properties=properties)[1])

    def unsubscribe(self, topic):
        return self._answer(self.client.unsubscribe(topic)[1])

    def publish(self, topic, payload=b"", qos=0, retain=False, **options):
        return self._answer(self.begin_publish(topic, payload, qos, retain, **options))

    def publish_all(self, topic, payloads, qos):
        begun = [self.begin_publish(topic, payload, qos) for payload in payloads]
        return [self._answer(number) for number in begun]

    def begin_publish(self, topic, payload, qos=0, retain=False, **options):
        properties = None
        if self.v5:
            properties = properties_of(PacketTypes.PUBLISH, OF_MESSAGE, options)
            topic = self._number(topic, properties)
        assert not options, options
        return self.client.publish(topic, payload, qos, retain, properties).mid

    def _number(self, topic, properties):
        """Paho leaves aliases to its user."""
        known = topic in self.own_aliases
        if not known and len(self.own_aliases) < self.own_aliases_max:
            self.own_aliases[topic] = len(self.own_aliases) + 1
        if topic in self.own_aliases:
            properties.TopicAlias = self.own_aliases[topic]
        return "" if known else topic

    def disconnect(self, code=None, session_expiry=None):
        more = {}
        if code is not None:
            more["reasoncode"] = ReasonCodes(PacketTypes.DISCONNECT, identifier=code)
        if session_expiry is not None:
            more["properties"] = Properties(PacketTypes.DISCONNECT)
            more["properties"].SessionExpiryInterval = session_expiry
        self.client.disconnect(**more)
        self.peers.wait(lambda: self.client.socket() is None, "end of the connection")

    def kill(self):
        self.client.socket().close()
        self.client._sock = None  # its loop ends without a word to the broker

    def message(self):
        self.peers.wait(lambda: self.messages, "message")
        return self.messages.pop(0)

    def payloads(self, count):
        return [self.message()["payload"] for _ in range(count)]

    def ended(self):
        self.peers.wait(lambda: self.ends, "end of the connection")
        return self.ends.pop(0)

    def _answer(self, key):
        self.peers.wait(lambda: key in self.answers, f"answer to {key}")
        return self.answers.pop(key)

    def _on_connect(self, client, userdata, flags, code, properties=None):
        self.answers["connect"] = {"code": getattr(code, "value", code),
                                   "present": flags["session present"],
                                   **fields_of(properties, OF_CONNACK)}

    def _on_unsubscribe(self, client, userdata, mid, properties=None, codes=()):
        codes = codes if isinstance(codes, list) else [codes]
        self.answers[mid] = {"codes": [code.value for code in codes if code != ()]}

    def _on_disconnect(self, client, userdata, code, properties=None):
        end = fields_of(properties, OF_END)
        if hasattr(code, "value"):
            end["code"] = code.value
        self.ends.append(end)

    def _on_message(self, client, userdata, message):
        properties = getattr(message, "properties", None)
        fields = {"topic": message.topic, "payload": bytes(message.payload), "qos": message.qos,
                  "retain": int(message.retain), **fields_of(properties, OF_MESSAGE)}
        alias = getattr(properties, "TopicAlias", None)
        if alias is not None:
            fields["alias"] = alias
            if message.topic:
                self.topics[alias] = message.topic
            fields["topic"] = self.topics[alias]
        if hasattr(properties, "SubscriptionIdentifier"):
            ids = properties.SubscriptionIdentifier
            fields["ids"] = ids if isinstance(ids, list) else [ids]
        self.messages.append(fields)


class PahoPeers:
    def __init__(self, port):
        self.port, self.all = port, []
        self.numbers = itertools.count(1)

    def new(self, version):
        peer = PahoPeer(self, f"c{next(self.numbers)}", self.port, version)
        self.all.append(peer)
        return peer

    def wait(self, condition, what):
        until = time.monotonic() + PATIENCE_S
        while not condition():
            if time.monotonic() > until:
                raise AssertionError(f"no {what} within {PATIENCE_S} s")
            open_ones = [peer.client for peer in self.all
                         if peer.client is not None and peer.client.socket() is not None]
            select.select([client.socket() for client in open_ones],
                          [client.socket() for client in open_ones if client.want_write()],
                          [], 0.05)
            for client in open_ones:
                client.loop(0)

    def close(self):
        for peer in self.all:
            if peer.client is not None and peer.client.socket() is not None:
                peer.client.socket().close()
                peer.client._sock = None
