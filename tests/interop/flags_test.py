#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Every flag of mosquitto's clients, one by one: their program and ours under its name get the same
arguments and talk to a server that writes down what they say. Exit status, standard output and the
packets must be the same, but for what docs/commands.md says is different on purpose."""
import re
import shlex

from names_test import KINDS, link_names
from processes import ProcessTest, main, require
from recorder import Message, Recorder, meaning, text, varint

PUB, SUB, RR = "mosquitto_pub", "mosquitto_sub", "mosquitto_rr"
AT_ONCE = 24  # programs that run side by side

MESSAGES = (Message("a/b", "one"), Message("a/c", "two", 1, True), Message("a/e", '{"x": 1}'),
            Message("a/d", "", 2))
ANSWER = (Message("answer", "it is"),)


def user(name, value):
    return b"\x26" + text(name) + text(value)


ALL_PROPERTIES = (b"\x01\x01\x02" + (77).to_bytes(4, "big") + b"\x03" + text("text/plain") +
                  b"\x08" + text("re/ply") + b"\x09" + text(b"\x01corr") + user("k1", "v1") +
                  user("k2", "v2"))
FULL = (Message("a/b", "pay load", 1, True, ALL_PROPERTIES),)
NUMBERED = (Message("a/b", "pay", 0, False, b"\x0b\xc8\x01"),)


class Case:
    """One command line. `server` says how the server behaves, `loose` what is not compared."""

    def __init__(self, program, options, stdin=b"", host=True, loose=(), status=None,
                 environment=None, **server):
        self.program = program
        self.options = shlex.split(options) if isinstance(options, str) else list(options)
        self.stdin, self.host, self.loose, self.status = stdin, host, loose, status
        self.environment, self.server = environment or {}, server

    def __str__(self):
        return f"{self.program} {shlex.join(self.options)} {self.server or ''} {self.stdin or ''}"


def pub(options, **more):
    return Case(PUB, "-t a/b " + options, **more)


def sub(options, messages=MESSAGES, **more):
    return Case(SUB, "-t a/# " + options, messages=messages, **more)


def rr(options, messages=ANSWER, **more):
    return Case(RR, "-t ask -e answer " + options, messages=messages, **more)


def printing(form, messages=FULL, more="-V 5"):
    """All of these messages in a format."""
    return Case(SUB, ["-t", "a/#", "-C", str(len(messages)), "-F", form, *shlex.split(more)],
                messages=messages)


class Outcome:
    def __init__(self, process, recorder):
        self.status = process.wait()
        recorder.close()
        self.stderr = process.text("stderr")
        port, pid = str(recorder.port), str(process.child.pid)
        # Times first: their digits may be those of a port or a process.
        plain = re.sub(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{6})?", "TIME", process.text())
        self.stdout = re.sub(rf"\b{port}\b", "PORT", re.sub(rf"\b{pid}\b", "PID", plain))
        packets = recorder.packets
        self.reset = b"(reset)" in packets
        while packets and packets[-1] in (b"(reset)", b"\xe0\x00"):  # DISCONNECT may be overtaken
            packets.pop()
        packets.sort(key=lambda packet: packet[0] >> 4 == 6)  # and PUBREL, by the next PUBLISH
        self.packets = [meaning(self.normal(packet, pid), recorder.version) for packet in packets
                        if packet[0] >> 4 != 7]  # PUBCOMP may be overtaken too

    @staticmethod
    def normal(packet, pid):
        packet = re.sub(rb"mosq-[A-Za-z0-9]{18}", b"mosq-RANDOM", packet)
        return packet.replace(b"-" + pid.encode(), b"-PID")

    def same_as(self, other, loose):
        return all(getattr(self, name) == getattr(other, name)
                   for name in ("status", "stdout", "packets") if name not in loose)

    def __str__(self):
        return f"{self.status}\n  {self.stdout!r}\n  {self.stderr!r}\n  {self.packets}"


class FlagsTest(ProcessTest):
    def setUp(self):
        super().setUp()
        self.folder = link_names(self)

    def begin(self, case, kind):
        recorder = Recorder(**case.server)
        program = self.folder / case.program if kind == "ours" else require(case.program)
        place = ["-h", "127.0.0.1", "-p", recorder.port] if case.host else []
        options = [word.replace("PORT", str(recorder.port)) for word in case.options]
        process = self.start(program, *place, *options, stdin=case.stdin,
                             environment={"XDG_CONFIG_HOME": "/nonexistent", **case.environment})
        return process, recorder

    def compare(self, *cases):
        """Runs all of them with both programs, some at a time."""
        while cases:
            batch, cases = cases[:AT_ONCE // 2], cases[AT_ONCE // 2:]
            running = [(case, [self.begin(case, kind) for kind in KINDS]) for case in batch]
            for case, both in running:
                ours, theirs = (Outcome(*one) for one in both)
                for _ in range(3):  # a connection that is reset may lose its last packets
                    if ours.same_as(theirs, case.loose) or not (ours.reset or theirs.reset):
                        break
                    ours, theirs = (Outcome(*self.begin(case, kind)) for kind in KINDS)
                with self.subTest(case=str(case)):
                    self.assertTrue(ours.same_as(theirs, case.loose),
                                    f"{case}\nours: {ours}\ntheirs: {theirs}")
                    if case.status is not None:
                        self.assertEqual(ours.status, case.status, f"{case}\nours: {ours}")
                    if ours.status and "--quiet" not in case.options:
                        self.assertRegex(ours.stderr, r"\A(Error: |Timed out$)")


class Connecting(FlagsTest):
    def test_ids_and_sessions(self):
        self.compare(*(pub("-m x " + more) for more in (
            "", "-V 31", "-V 311", "-V 5", "-V mqttv31 -i me", "-V mqttv311", "-V mqttv5",
            "-i me", "-I you-", "-i me -I you", "-i ''", "-c -i me", "-c", "-c -i me -V 5",
            "-c -i me -V 5 -x 7", "-V 5 -x 7", "-V 5 -i me -x -1", "-V 5 -x -1",
            "-V 5 -i me -x 4294967295", "-V 5 -i me -x ∞", "-V 5 -i me -x 4294967296",
            "-V 5 -x abc", "-V 5 -x -2", "-x 7", "-x", "-V 9", "-V", "--id q", "--id-prefix q-",
            "--protocol-version 5", "--disable-clean-session --id q")))

    def test_users_and_keep_alive(self):
        self.compare(*(pub("-m x " + more) for more in (
            "-u me", "-u me -P pw", "-P pw", "-P pw -V 5", "-u ''", "-u me -P ''",
            "--username u --pw p", "-u", "-P", "-k 7", "-k 5", "-k 65535", "-k 4", "-k 0",
            "-k 65536", "-k abc", "-k", "--keepalive 9", "-k 9 -V 5")))

    def test_wills(self):
        self.compare(*(pub("-m x " + more) for more in (
            "--will-topic w", "--will-topic w --will-payload p --will-qos 2 --will-retain",
            "--will-topic w --will-payload ''", "--will-payload p", "--will-retain",
            "--will-qos 1", "--will-qos 3 --will-topic w", "--will-topic w/#", "--will-topic",
            "--will-topic w -V 5", "--will-topic w --will-retain -V 31")))

    def test_ways(self):
        self.compare(*(pub("-m x " + more) for more in (
            "-A 127.0.0.1", "-A 127.0.0.9", "-A 203.0.113.1", "-A", "--nodelay", "-h", "-p",
            "--host 127.0.0.1", "-p 70000", "-p -1", "-p abc", "-h no-such-host.invalid",
            "--unix", "--proxy", "--proxy x", "--proxy socks4://127.0.0.1:9",
            "--proxy socks5h://", "--proxy socks5h://127.0.0.1:99999")))

    def test_urls(self):
        self.compare(*(Case(SUB, more, host=False) for more in (
            "-E -L mqtt://127.0.0.1:PORT/u/v", "-E -L mqtt://me:pw@127.0.0.1:PORT/u -t v",
            "-E -L mqtt://me@127.0.0.1:PORT/u", "-E -L mqtt://127.0.0.1:PORT",
            "-E -L mqtt://127.0.0.1:PORT/a%20b/%23", "-E -L mqtt://m%40e:p%3aw@127.0.0.1:PORT/u",
            "-E -L 127.0.0.1/u", "-E -L http://127.0.0.1/u", "-L",
            "-E -L mqtt://127.0.0.1:PORT/u -u x",
            "-E --url mqtt://127.0.0.1:PORT/u", "-E -h nohost.invalid -L mqtt://127.0.0.1:PORT/u",
            "-E -L mqtt://127.0.0.1:PORT/u -h nohost.invalid",
            "-E -p 1 -L mqtt://127.0.0.1:PORT/u", "-E -L mqtt://127.0.0.1:1/u -p PORT")))
        self.compare(*(Case(PUB, "-m x " + more, host=False) for more in (
            "-L mqtt://127.0.0.1:PORT/u", "-L mqtt://127.0.0.1:PORT/u -t v",
            "-t v -L mqtt://127.0.0.1:PORT/u")))

    def test_refused_connections(self):
        self.compare(*(pub("-m x " + more, code=code) for more, code in (
            ("", 1), ("", 2), ("", 3), ("", 4), ("", 5), ("-V 31", 5), ("-V 5", 135),
            ("-V 5", 149), ("-V 5", 128), ("--quiet", 5))))
        self.compare(*(case("", code=5) for case in (sub, lambda more, **server: rr(
            more + "-m x -V 311", **server))), sub("-V 5", code=135), rr("-m x", code=135))


class Publishing(FlagsTest):
    def test_messages(self):
        self.compare(*(pub(options) for options in (
            "-m x", "-m ''", "-m -dash", "-m x -q 1", "-m x -q 2", "-m x -r", "-n -r", "-n",
            "-n -q 2 -V 5", "-f /etc/hostname", "-f /dev/null", "-f /nonexistent", "-f",
            "-m x -f /etc/hostname", "-m x -s", "-m x -l", "-m x -n", "-m x -m y", "-m", "-t",
            "-m x --topic c", "--message x", "-m x --qos 1", "-m x --retain", "--null-message",
            "--file /etc/hostname", "-m x -q 3", "-m x -q -1", "-m x -q", "-m x -t '$SYS/x'",
            "-m x -M 5", "-m x -M 0", "-m x -M", "-m x --quiet -f /nonexistent")))
        self.compare(*(Case(PUB, ["-t", topic, "-m", "x"], status=1) for topic in (
            "a/+", "#", "a" * 70_000)))

    def test_standard_input(self):
        self.compare(
            pub("-s", stdin=b"all\nof it"), pub("-s"), pub("--stdin-file", stdin=b"q"),
            pub("--stdin-line", stdin=b"q\nw\n"),
            *(pub("-l " + more, stdin=data) for more, data in (
                ("", b"a\nb\n\nc"), ("", b""), ("", b"a\r\nb"), ("-q 1", b"a\nb\nc\n"),
                ("-q 2", b"a\nb\nc\n"), ("-q 1 -M 1", b"a\nb\nc\n"), ("-r", b"a\n"),
                ("--repeat 2", b"a\nb\n"))))

    def test_repetitions(self):
        self.compare(*(pub("-m x " + more) for more in (
            "--repeat 3", "--repeat 3 -q 1", "--repeat 3 -q 2", "--repeat 0", "--repeat -1",
            "--repeat", "--repeat 2 --repeat-delay 0.1", "--repeat 2 --repeat-delay -1",
            "--repeat-delay 0.1", "--repeat-delay")), pub("-n --repeat 2"),
            pub("-f /etc/hostname --repeat 2"), pub("-s --repeat 2", stdin=b"x"))

    def test_refused_messages(self):
        self.compare(*(pub(options, refuse=code, stdin=b"a\nb\n") for options, code in (
            ("-m x -V 5 -q 1", 0x87), ("-m x -V 5 -q 2", 0x97), ("-m x -V 5 -q 1", 0x10),
            ("-l -V 5 -q 1", 0x87))), rr("-m x -q 1 -W 1", (), refuse=0x87))

    def test_what_belongs_to_other_programs(self):
        self.compare(*(pub("-m x " + more, status=1) for more in (
            "-v", "-R", "-N", "-E", "-C 1", "-T a", "-U a", "-F %p", "-e a", "--retained-only",
            "--pretty", "--random-filter 10", "-w", "--foo", "foo")))
        self.compare(*(sub(more, status=1) for more in (
            "-m x", "-n", "-l", "-s", "-r", "-f x", "--repeat 1", "-e a", "--foo", "foo")))
        self.compare(*(rr("-m x " + more, status=1) for more in (
            "-T a", "-U a", "-C 1", "-E", "-l", "--repeat 2", "--random-filter 5",
            "--retained-only", "--foo", "foo")))


class Subscribing(FlagsTest):
    def test_ends(self):
        self.compare(*(sub(options) for options in (
            "-C 4", "-C 4 -v", "-C 4 -v -q 2", "-C 4 -V 5", "-C 4 -N", "-C 2 -v", "-C 1 -R -v",
            "-C 4 -R -v -W 1", "-W 1", "-W 1 --quiet", "-W 1 -V 31", "-E", "-E -C 1", "-E -V 5",
            "-E -V 5 -M 7", "-C 30 -W 1 -V 5", "-E -t b -t c/+ -q 1", "-C 0", "-C -1", "-C a",
            "-C", "-W 0", "-W -1", "-W a", "-W", "-q 3", "-E -M 1", "-E -k 7", "-E -c -i me",
            "-E -c", "-E -c -i me -V 5 -x 9", "-E -x 9", "-E -I pre-", "-C 4 --quiet",
            "-T a/c -C 3 -v", "-T a/#/b", "-T a/c -T a/d -W 1 -v", "-T", "-U a/#/b", "-U",
            "--filter-out a/c -C 3 -v", "--qos 1 -E", "--verbose -C 2",
            "-W 1 -V 5 --will-topic w")))
        self.compare(sub("-E -U u", (), loose=("packets",)), sub("-E --unsubscribe u", ()),
                     *(Case(SUB, options) for options in (
                         "", "-t a/#/b", "-t a+", "-E -t $share/g/a")))

    def test_retained_messages(self):
        self.compare(*(sub(options, messages) for options, messages in (
            ("--retained-only -W 1", MESSAGES), ("--retained-only -v -W 1", MESSAGES[1:]),
            ("-R --retained-only", MESSAGES), ("--remove-retained -W 1 -v -q 2", MESSAGES),
            ("--remove-retained -T a/c -W 1 -v", MESSAGES), ("--retain-as-published -E", ()),
            ("--retain-as-published -E -V 5", ()), ("--retain-as-published -E -V 5 -R -q 1", ()),
            ("-R -E", ()), ("-R -E -V 5", ()), ("--random-filter abc", ()), ("--random-filter", ()),
            ("--random-filter 0.1 -C 4", MESSAGES))))

    def test_refused_subscriptions(self):
        self.compare(*(sub(options, (), grant=grant) for options, grant in (
            ("-E", 0x80), ("-E -t b", 0x80), ("-E -V 5", 0x87), ("-W 1", 0x80), ("-V 5", 0x87))),
            sub("-C 4 -q 2", grant=0), rr("-m x", (), grant=0x80), rr("-m x", (), grant=0x87))


class Formats(FlagsTest):
    def test_every_letter_in_every_width(self):
        cases = []
        for letter in "ACDEFPRSXlmpqrtx%":
            for width in ("", "12", "-12", "012", "2", ".2", ".0", "12.2", "-12.2", "012.2", "5."):
                cases.append(printing(f"<%{width}{letter}>"))
            cases.append(printing(f"<%{letter}>", MESSAGES, ""))
        self.compare(*cases)

    def test_properties_and_aliases(self):
        self.compare(
            printing("<%S>|<%09S>", NUMBERED),
            printing("%P", (Message("a", "x", 0, False, user("k", "1") + user("k", "2")),)))

    def test_times(self):
        for form in ("%I", "%U", "@Y-@m-@d", "@N", "%30I", "%-30I|", "%.4I"):
            case = printing(form)
            both = [Outcome(*self.begin(case, kind)) for kind in KINDS]
            ours, theirs = (re.sub(r"\d", "9", one.stdout) for one in both)
            self.assertEqual(ours, theirs, form)
            self.assertRegex(ours, "9|TIME")

    def test_json(self):
        odd = (Message("a/ü", 'tab\tquote"back\\ctl\x01ü\x7f/'),
               Message("a/x", b"\xff\xfe\xc3\x28"),
               Message("a/y", '[1,true,false,null,"s",{"k":[]}]'), Message("a/z", ' {"a" : 1 } '),
               Message("a/z", '"str"'), Message("a/z", "nope"), Message("a/z", "1 2"),
               Message("a/z", '{"a":1,"a":2}'), Message("a/z", "0.1"), Message("a/z", ""))
        for pretty in ("", "--pretty"):
            self.compare(printing("%j", odd, pretty), printing("%J", odd, pretty),
                         printing("%j", FULL, "-V 5 " + pretty), printing("%J", FULL, "-V 5"),
                         printing("%j", (Message("a", "x", 0, False, b"\x0b\x05"),), "-V 5"))

    def test_escapes_and_mistakes(self):
        self.compare(*(printing(form, MESSAGES, "") for form in (
            "", "%%", "@@", "\\0\\a\\e\\n\\r\\t\\v\\\\", "%p|@Y|@%|@n|@t", "%", "%Z", "%1", "%-",
            "%.", "%.5", "\\", "\\q", "@")), sub("-F"), sub("-F %t -v -C 4"), sub("-F %t -N -C 4"))


class Properties(FlagsTest):
    VALUES = {"authentication-data": "ad", "authentication-method": "am", "content-type": "ct",
              "correlation-data": "cd", "maximum-packet-size": "100",
              "message-expiry-interval": "30", "payload-format-indicator": "1",
              "reason-string": "rs", "receive-maximum": "10", "request-problem-information": "0",
              "request-response-information": "1", "response-topic": "rt",
              "session-expiry-interval": "30", "subscription-identifier": "5", "topic-alias": "3",
              "topic-alias-maximum": "5", "will-delay-interval": "4", "server-keep-alive": "3",
              "assigned-client-identifier": "x", "user-property": "a b", "nonsense": "1"}
    # Different on purpose: docs/commands.md.
    LEFT_OUT = {("connect", "authentication-data"), ("connect", "authentication-method"),
                ("publish", "topic-alias"), ("will", "reason-string"),
                ("disconnect", "session-expiry-interval")}

    def test_every_property_of_every_command(self):
        cases = []
        for command in ("connect", "publish", "will", "subscribe", "unsubscribe", "disconnect"):
            for name, value in self.VALUES.items():
                if (command, name) in self.LEFT_OUT:
                    continue
                words = f"-D {command} {name} {value} -i me "
                if command in ("subscribe", "unsubscribe"):
                    cases.append(sub(words + "-U u -E", ()))
                else:
                    cases.append(pub(words + "-m x" + (" --will-topic w" * (command == "will"))))
        self.compare(*cases)

    def test_repetitions_and_other_words(self):
        self.compare(*(pub("-m x -i me " + more) for more in (
            "-D publish user-property a b -D publish user-property a c",
            "-D PUBLISH Content-Type x", "-D foo content-type x", "-D auth content-type x",
            "-D puback reason-string x", "-D connack content-type x", "-D", "-D connect",
            "-D connect receive-maximum", "-D publish user-property a",
            "-D publish content-type x -D publish content-type y",
            "-x 5 -D connect session-expiry-interval 6", "-x 5 -D disconnect "
            "session-expiry-interval 6", "--property publish content-type x")))

    def test_values_out_of_range(self):
        self.compare(*(pub(f"-m x -i me -D {words}", status=1) for words in (
            "connect receive-maximum 0", "connect receive-maximum 65536",
            "connect receive-maximum a", "connect receive-maximum -1",
            "connect maximum-packet-size 0", "connect session-expiry-interval 4294967296",
            "publish payload-format-indicator 256", "publish topic-alias 0",
            "publish message-expiry-interval -1", "connect request-problem-information 2")))


class Chatter(FlagsTest):
    """-d. Packets that arrive together are told before their messages are printed, so the order of
    lines does not count."""

    def lines(self, case):
        both = [Outcome(*self.begin(case, kind)) for kind in KINDS]
        ours, theirs = (sorted(re.sub("mosq-[A-Za-z0-9]{18}", "RANDOM", one.stdout).split("\n"))
                        for one in both)
        with self.subTest(case=str(case)):
            self.assertEqual(ours, theirs)
            self.assertGreater(len(ours), 2)

    def test_packets_are_told_in_the_same_words(self):
        for options in ("-m x", "-m x -i me", "-m x -i me -q 1", "-m x -q 2 -i me",
                        "-m x -V 5 -q 1", "-n -r", "-m x --repeat 3 -q 2", "-m x --repeat 3",
                        "-m x -V 31"):
            self.lines(pub("-d " + options))
        self.lines(pub("-l -q 1 --debug", stdin=b"a\nb\nc\n"))
        self.lines(pub("-m x -d -V 5", connack=b"\x12\0\4auto"))
        self.lines(pub("-m x -d -V 5 -q 1", refuse=0x87))
        self.lines(pub("-m x -d", code=5))
        self.lines(sub("-d -i me -C 3 -q 2 -t b", MESSAGES[:3]))
        self.lines(sub("-d -V 5 -C 1", FULL))
        self.lines(sub("-d -E -R -V 5", ()))
        self.lines(sub("-d -V 5 -q 2", (), grant=0x87))
        self.lines(rr("-d -m x -q 1 -W 1", ()))


class Requests(FlagsTest):
    def test_requests(self):
        self.compare(*(rr(options) for options in (
            "-m x", "-m x -v", "-m x -q 1", "-m x -q 2", "-n", "-m x -N", "-m x -F %t=%p",
            "-m x -V 311", "-m x -V 31", "-m x -c -i me", "-m x --pretty", "-m x -x 5",
            "-m x -D publish correlation-data 7", "-m x -D publish response-topic other",
            "-m x -k 9", "-m x --will-topic w", "-m x -M 5", "-m x -e other",
            "-m x -m y", "")), rr("-m x -W 1", ()), rr("-m x -W 1 -V 311", ()))
        self.compare(*(Case(RR, options) for options in (
            "-t a -m x", "-t a -e b", "-e b -m x", "-t a -e b/# -m x", "-t a/# -e b -m x",
            "-t a -e", "")), Case(RR, "-L mqtt://127.0.0.1:PORT/u -e c -m x", host=False,
                                  messages=(Message("c", "1"),)))


if __name__ == "__main__":
    main()
