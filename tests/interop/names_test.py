#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Under the names of mosquitto's programs ours prints and ends as they do: each scenario is run
with both against the same broker. Links of those names are made here."""
import signal

from clients import MARKER, BrokerTest
from processes import HERMOD, free_port, main, require

NAMES = ("mosquitto", "mosquitto_pub", "mosquitto_sub", "mosquitto_rr", "mosquitto_passwd")
KINDS = ("ours", "theirs")


def link_names(test):
    """Links with mosquitto's names to the program under test, in the test's directory."""
    folder = test.directory / "bin"
    folder.mkdir()
    for name in NAMES:
        (folder / name).symlink_to(HERMOD)
    return folder


class NamesTest(BrokerTest):
    def setUp(self):
        super().setUp()
        self.folder = link_names(self)

    def program(self, kind, name):
        return self.folder / name if kind == "ours" else require(name)

    def run_both(self, name, *options, stdin=None, environment=None, port=None):
        """(exit status, stdout, stderr) of both, which run side by side."""
        both = [self.start(self.program(kind, name), "-h", "127.0.0.1", "-p",
                           port or self.broker.mqtt, *options, stdin=stdin,
                           environment=environment) for kind in KINDS]
        return [(one.wait(), one.text(), one.text("stderr")) for one in both]

    def same(self, name, *options, status=0, **more):
        """Both end with the status and print the same; what ours says on stderr."""
        ours, theirs = self.run_both(name, *options, **more)
        self.assertEqual(ours[:2], theirs[:2], (name, options, ours[2], theirs[2]))
        self.assertEqual(ours[0], status, (name, options, ours[2]))
        return ours[2]


class Publishing(NamesTest):
    def published(self, *options, count=1, **more):
        """What comes of a publication by each; both times the same."""
        topic = self.id().rsplit(".", 1)[1]
        lines = []
        for kind in KINDS:
            subscriber = self.subscribe("mosquitto", "-V", "5", "-t", f"{topic}/#", "-q", "2", "-F",
                                        "%t|%q|%r|%p|%C|%D|%F|%P|%R", "--retain-as-published")
            process = self.start(self.program(kind, "mosquitto_pub"), "-h", "127.0.0.1", "-p",
                                 self.broker.mqtt, "-t", f"{topic}/a", *options, **more)
            self.assertEqual(process.wait(), 0, process.text("stderr"))
            self.assertEqual(process.text(), "")
            self.publish("mosquitto", f"{topic}/end", "end")
            lines.append(subscriber.wait_lines(count + 1))
            self.publish("mosquitto", f"{topic}/a", "", "-r")
        self.assertEqual(lines[0], lines[1], options)
        self.assertTrue(lines[0][-1].startswith(f"{topic}/end"))
        return lines[0]

    def test_messages(self):
        file = self.directory / "payload"
        file.write_bytes(b"from a file")
        for options in (("-m", "x"), ("-m", "x", "-q", "1", "-r"),
                        ("-m", "x", "-q", "2", "-V", "5"), ("-n",), ("-f", file),
                        ("-m", "x", "-V", "31", "-i", "me"),
                        ("-m", "-dash"), ("-m", "x", "-A", "127.0.0.1"),
                        ("-m", "x", "-M", "1", "--nodelay", "-k", "10"),
                        ("-m", "x", "-D", "publish", "content-type", "text", "-D", "PUBLISH",
                         "user-property", "a", "b", "-D", "publish", "correlation-data", "7")):
            with self.subTest(options=options):
                self.published(*options)

    def test_standard_input(self):
        self.published("-l", count=3, stdin=b"a\nb\nc")
        self.published("-s", "-q", "1", stdin=b"all of it")

    def test_repetitions(self):
        self.published("-m", "x", "--repeat", "3", "--repeat-delay", "0.01", "-q", "1", count=3)

    def test_urls(self):
        for user in ("", "me:secret@"):
            self.same("mosquitto_pub", "-L", f"mqtt://{user}127.0.0.1:{self.broker.mqtt}/u", "-m",
                      "x")

    def test_options_files(self):
        folder = self.directory / "config"
        folder.mkdir()
        (folder / "mosquitto_pub").write_text("# defaults\n-m from the file\n-q 1\n")
        for kind in KINDS:
            subscriber = self.subscribe("mosquitto", "-t", "o", "-q", "2", "-F", "%q %p")
            process = self.start(self.program(kind, "mosquitto_pub"), "-h", "127.0.0.1", "-p",
                                 self.broker.mqtt, "-t", "o", "-q", "2",
                                 environment={"XDG_CONFIG_HOME": str(folder)})
            self.assertEqual(process.wait(), 0, process.text("stderr"))
            self.assertEqual(subscriber.wait_lines(1), ["2 from the file"], kind)

    def test_an_options_file_by_name(self):
        """-o came with mosquitto 2.1."""
        file = self.directory / "options"
        file.write_text("-m by name\n-q 1\n")
        subscriber = self.subscribe("mosquitto", "-t", "o", "-q", "2", "-F", "%q %p")
        self.finish(self.folder / "mosquitto_pub", "-o", file, "-h", "127.0.0.1", "-p",
                    self.broker.mqtt, "-t", "o")
        self.assertEqual(subscriber.wait_lines(1), ["1 by name"])


class Subscribing(NamesTest):
    def setUp(self):
        super().setUp()
        for topic, text in (("r/1", "one"), ("r/2", '{"b": [1, {"c": {}}], "d": "e"}')):
            self.publish("mosquitto", topic, text, "-r", "-q", "1")

    def test_ends_and_output(self):
        for options, status in (
                (("-t", "r/1", "-C", "1"), 0), (("-t", "r/+", "-C", "2", "-v"), 0),
                (("-t", "r/1", "-C", "1", "-N"), 0), (("-t", "none", "-E"), 0),
                (("-t", "none", "-W", "1"), 27), (("-t", "r/1", "-R", "-W", "1", "-v"), 27),
                (("-t", "r/+", "-T", "r/2", "-W", "1", "-v"), 27),
                (("-t", "r/1", "-t", MARKER, "--retained-only", "-W", "1", "-v"), 27),
                (("-t", "r/1", "-C", "1", "-F", "%t %q %r %l %x"), 0),
                (("-t", "none", "-U", "r/1", "-E"), 0), (("-t", "r/1", "-x", "7", "-E"), 0)):
            with self.subTest(options=options):
                self.same("mosquitto_sub", *options, status=status)

    def test_a_part_of_the_messages(self):
        """mosquitto_sub 2.0.11 prints nothing for 100."""
        for percent, text in (("100", "one\n"), ("0", "")):
            self.assertEqual(self.finish(self.folder / "mosquitto_sub", "-h", "127.0.0.1", "-p",
                                         self.broker.mqtt, "-t", "r/1", "-C", "1",
                                         "--random-filter", percent), text)

    def test_pretty_json(self):
        ours, theirs = (ended[1].split("\n") for ended in self.run_both(
            "mosquitto_sub", "-t", "r/2", "-C", "1", "-F", "<%J>", "--pretty"))
        self.assertTrue(ours[1].startswith('\t"tst":\t"'))
        del ours[1], theirs[1]
        self.assertEqual(ours, theirs)
        self.assertGreater(len(ours), 10)

    def test_removing_retained_messages(self):
        for kind in KINDS:
            self.publish("mosquitto", f"gone/{kind}", "x", "-r")
            text = self.finish(self.program(kind, "mosquitto_sub"), "-h", "127.0.0.1", "-p",
                               self.broker.mqtt, "-t", f"gone/{kind}", "--remove-retained", "-W",
                               "1", status=27)
            self.assertEqual(text, "x\n")
        self.same("mosquitto_sub", "-t", "gone/+", "-W", "1", status=27)

    def test_kept_sessions(self):
        for kind in KINDS:
            base = (self.program(kind, "mosquitto_sub"), "-h", "127.0.0.1", "-p", self.broker.mqtt,
                    "-c", "-i", f"kept-{kind}", "-t", "k", "-q", "1")
            self.finish(*base, "-E")
            self.publish("mosquitto", "k", "while away", "-q", "1")
            self.assertEqual(self.finish(*base, "-C", "1"), "while away\n")

    def test_signals(self):
        for number in (signal.SIGINT, signal.SIGTERM):
            statuses = []
            for kind in KINDS:
                process = self.start(self.program(kind, "mosquitto_sub"), "-h", "127.0.0.1", "-p",
                                     self.broker.mqtt, "-t", "r/1")
                process.wait_for("^one$")
                process.signal(number)
                statuses.append(process.wait())
            self.assertEqual(statuses, [0, 0])

    def test_wills(self):
        for kind in KINDS:
            witness = self.subscribe("mosquitto", "-t", "will", "-F", "%p %r", "-q", "1")
            process = self.start(self.program(kind, "mosquitto_sub"), "-h", "127.0.0.1", "-p",
                                 self.broker.mqtt, "-t", "r/1", "--will-topic", "will",
                                 "--will-payload", "lost", "--will-qos", "1")
            process.wait_for("^one$")
            process.signal(signal.SIGKILL)
            process.wait()
            self.assertEqual(witness.wait_lines(1), ["lost 0"], kind)

    def test_a_lost_broker_is_looked_for_again(self):
        both = [self.start(self.program(kind, "mosquitto_sub"), "-h", "127.0.0.1", "-p",
                           self.broker.mqtt, "-t", "r/1", "-v") for kind in KINDS]
        for process in both:
            process.wait_for("^r/1 one$")
        self.broker.stop()
        broker = self.start(HERMOD, "serve", "-c", self.broker.file)
        broker.wait_for("hermod version .* running", stream="stderr")
        self.publish("mosquitto", "r/1", "again", "-r")
        for process in both:
            process.wait_for("^r/1 again$")
            self.assertEqual(process.text(), "r/1 one\nr/1 again\n")


class Requests(NamesTest):
    def answered(self, *options, status=0, version="5"):
        """Both ask; a responder answers on the topic that each names."""
        results = []
        for kind in KINDS:
            asked = self.subscribe("mosquitto", "-V", "5", "-t", "ask", "-F", "%p|%q|%R|%D")
            process = self.start(self.program(kind, "mosquitto_rr"), "-h", "127.0.0.1", "-p",
                                 self.broker.mqtt, "-t", "ask", "-e", "answer", *options)
            request = asked.wait_lines(1)[0]
            self.publish("mosquitto", "answer", "it is", "-V", version)
            ended = process.wait()
            results.append((ended, process.text(), request))
        self.assertEqual(results[0], results[1], options)
        self.assertEqual(results[0][0], status)
        return results[0]

    def test_requests_and_responses(self):
        self.assertEqual(self.answered("-m", "state"), (0, "it is\n", "state|0|answer|"))
        self.assertEqual(self.answered("-m", "state", "-q", "1", "-F", "%t=%p", "-D", "publish",
                                       "correlation-data", "7", "-W", "10"),
                         (0, "answer=it is\n", "state|0|answer|7"))
        self.assertEqual(self.answered("-n", "-v", "-V", "311"), (0, "answer it is\n", "|0||"))
        self.assertEqual(self.answered("-m", "x", "-N"), (0, "it is", "x|0|answer|"))

    def test_nobody_answers(self):
        error = self.same("mosquitto_rr", "-t", "ask", "-e", "answer", "-m", "x", "-W", "1",
                          status=27)
        self.assertEqual(error, "Timed out\n")

    def test_our_own_name_looks_at_the_correlation_data(self):
        asked = self.subscribe("mosquitto", "-V", "5", "-t", "ask", "-F", "%p|%R")
        process = self.start(HERMOD, "rr", "-h", "127.0.0.1", "-p", self.broker.mqtt, "-t", "ask",
                             "-e", "answer", "-m", "x", "-D", "publish", "correlation-data", "7")
        self.assertEqual(asked.wait_lines(1), ["x|answer"])
        self.publish("mosquitto", "answer", "of another", "-V", "5", "-D", "publish",
                     "correlation-data", "8")
        self.publish("mosquitto", "answer", "ours", "-V", "5", "-D", "publish", "correlation-data",
                     "7")
        self.assertEqual(process.wait(), 0, process.text("stderr"))
        self.assertEqual(process.text(), "ours\n")


class Refusals(NamesTest):
    def test_wrong_command_lines(self):
        for name, options in (
                ("mosquitto_pub", ("-t", "a", "-m", "x", "-n")),
                ("mosquitto_pub", ("-t", "a", "-m", "x", "-q", "3")),
                ("mosquitto_pub", ("-t", "a/#", "-m", "x")), ("mosquitto_pub", ("--foo",)),
                ("mosquitto_pub", ("-t", "a", "-m")),
                ("mosquitto_pub", ("-t", "a", "-m", "two", "words")),
                ("mosquitto_pub", ("-t", "a", "-m", "x", "-P", "pw")),
                ("mosquitto_pub", ("-t", "a", "-m", "x", "-c")),
                ("mosquitto_pub", ("-t", "a", "-m", "x", "-V", "9")),
                ("mosquitto_pub", ("-t", "a", "-f", "/nonexistent")),
                ("mosquitto_pub", ("-t", "a", "-m", "x", "--repeat", "0")),
                ("mosquitto_pub", ("-t", "a", "-m", "x", "--will-payload", "y")),
                ("mosquitto_pub", ("-L", "xx://h/a", "-m", "x")), ("mosquitto_sub", ()),
                ("mosquitto_sub", ("-t", "a/#/b")), ("mosquitto_sub", ("-t", "a", "-C", "0")),
                ("mosquitto_sub", ("-t", "a", "-F", "%Z")),
                ("mosquitto_sub", ("-t", "a", "-R", "--retained-only")),
                ("mosquitto_sub", ("-t", "a", "-x", "abc")),
                ("mosquitto_sub", ("-t", "a", "-W", "0")),
                ("mosquitto_rr", ("-t", "a", "-m", "x")), ("mosquitto_rr", ("-t", "a", "-e", "b")),
                ("mosquitto_rr", ("-t", "a", "-e", "b/#", "-m", "x"))):
            with self.subTest(name=name, options=options):
                self.assertTrue(self.same(name, *options, status=1).startswith("Error: "))

    def test_what_is_not_there_yet_says_so(self):
        for options in (("--cafile", "x"), ("--psk", "00"), ("--ws",), ("-L", "mqtts://h/a")):
            process = self.start(self.folder / "mosquitto_sub", "-t", "a", *options)
            self.assertEqual(process.wait(), 1)
            self.assertRegex(process.text("stderr"), "not supported")

    def test_help_and_version(self):
        for name in NAMES:
            option = "-h" if name == "mosquitto" else "--help"
            statuses = []
            for kind in KINDS:
                process = self.start(self.program(kind, name), option)
                statuses.append(process.wait())
                self.assertIn(name, process.text())
            self.assertEqual(statuses[0], statuses[1], name)
        ours = self.start(self.folder / "mosquitto_pub", "--version")
        self.assertEqual(ours.wait(), 1)
        self.assertRegex(ours.text(), r"\Amosquitto_pub version 2\.0\S* running on hermod ")

    def test_no_broker(self):
        port = free_port()
        for name, more in (("mosquitto_pub", ("-m", "x")), ("mosquitto_sub", ()),
                           ("mosquitto_rr", ("-e", "b", "-m", "x"))):
            error = self.same(name, "-t", "a", *more, port=port, status=1)
            self.assertTrue(error.startswith("Error: Connection refused"), error)
            self.assertEqual(self.same(name, "-t", "a", *more, "--quiet", port=port, status=1), "")

    def test_the_status_is_the_code_of_connack(self):
        closed = self.start_broker(anonymous=False)
        for name, more in (("mosquitto_pub", ("-m", "x")), ("mosquitto_sub", ()),
                           ("mosquitto_rr", ("-e", "b", "-m", "x"))):
            for version, status in (("311", 5), ("5", 135)):
                self.same(name, "-t", "a", *more, "-V", version, port=closed.mqtt, status=status)

    def test_a_refused_message_is_a_warning(self):
        acl = self.directory / "acl"
        acl.write_text("topic read a\n")
        broker = self.start_broker(f"acl_file {acl}")
        for version in ("311", "5"):
            self.same("mosquitto_pub", "-t", "a", "-m", "x", "-q", "1", "-V", version,
                      port=broker.mqtt)


class Passwords(NamesTest):
    def test_the_same_ends_and_files(self):
        for kind in KINDS:
            file = self.directory / f"passwords-{kind}"
            for options, status in ((("-b", "-c", file, "alice", "one"), 0),
                                    (("-b", file, "bob", "two"), 0), (("-D", file, "alice"), 0),
                                    (("-D", file, "alice"), 1), ((file, "a:b"), 1),
                                    (("-c", "-D", file, "a"), 1), ((file, "a", "b"), 1),
                                    (("-H", "x", file, "a"), 1), ((), 1), (("--help",), 1),
                                    (("-b", "/nonexistent/x", "a", "b"), 1)):
                with self.subTest(kind=kind, options=options):
                    process = self.start(self.program(kind, "mosquitto_passwd"), *options)
                    self.assertEqual(process.wait(), status, process.text("stderr"))
            self.assertRegex(file.read_text(), r"\Abob:\$7\$\S+\n\Z")
            broker = self.start_broker(f"password_file {file}", anonymous=False)
            self.finish(require("mosquitto_pub"), "-h", "127.0.0.1", "-p", broker.mqtt, "-t", "a",
                        "-m", "x", "-u", "bob", "-P", "two")


if __name__ == "__main__":
    main()
