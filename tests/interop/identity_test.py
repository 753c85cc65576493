#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Users, passwords and access rules with mosquitto's clients and files, and with Hermod's."""
import itertools
import signal

from clients import MARK, MARKER, Subscriber
from processes import HERMOD, ProcessTest, main, require

KINDS = ("mosquitto", "hermod")
RULES = f"""
topic read open/#
topic read {MARKER}
user alice
topic readwrite home/#
topic deny home/safe
topic read {MARKER}
pattern write log/%u/%c
user root
topic #
"""


class IdentityTest(ProcessTest):
    """A broker with users alice (secret) and root (r00t), and the rules above."""

    anonymous = False

    def setUp(self):
        super().setUp()
        self.passwords = self.directory / "passwords"
        self.rules = self.directory / "acl"
        self.rules.write_text(RULES)
        self.set_password("alice", "secret", "-c")
        self.set_password("root", "r00t")
        self.broker = self.start_broker(f"password_file {self.passwords}",
                                        f"acl_file {self.rules}", anonymous=self.anonymous)
        self.publish("root", "r00t", MARKER, MARK, "-r")

    def set_password(self, user, password, *options):
        self.finish(require("mosquitto_passwd"), *options, "-b", self.passwords, user, password)

    def client(self, kind, command, *words, user=None, password=None):
        program = [require(f"mosquitto_{command}")] if kind == "mosquitto" else [HERMOD, command]
        login = ["-u", user] if user else []
        login += ["-P", password] if password is not None else []
        return [*program, "-h", "127.0.0.1", "-p", self.broker.mqtt, *login, *words]

    def publish(self, user, password, topic, message, *options, kind="mosquitto", status=0):
        self.finish(*self.client(kind, "pub", "-t", topic, "-m", message, *options, user=user,
                                 password=password), status=status)

    def subscribe(self, kind, *words, user=None, password=None):
        """A subscriber that the broker knows: the marker, which it may read, has come."""
        subscriber = self.start(*self.client(kind, "sub", *words, "-t", MARKER, user=user,
                                             password=password), kind=Subscriber)
        subscriber.wait_ready()
        return subscriber

    def reload(self, words="have been read again"):
        before = self.broker.text("stderr").count(words)
        self.broker.signal(signal.SIGHUP)
        self.broker.wait_until(lambda: self.broker.text("stderr").count(words) > before, words)


class Logins(IdentityTest):
    def test_only_the_right_password_comes_in(self):
        wrong = {("alice", "Secret"): "user name or password", ("nobody", "secret"): "user name",
                 ("alice", None): "user name", (None, None): "authori[sz]ed"}
        for kind in KINDS:
            self.publish("alice", "secret", "home/a", "x", kind=kind)
            for (user, password), words in wrong.items():
                with self.subTest(kind=kind, user=user, password=password):
                    process = self.start(*self.client(kind, "pub", "-t", "a", "-m", "x", user=user,
                                                      password=password))
                    self.assertNotEqual(process.wait(), 0)
                    self.assertRegex(process.text("stderr"), words)
        self.broker.wait_for("refused: wrong user name or password.", stream="stderr")
        self.broker.stop()
        self.assertNotIn("Secret", self.broker.text("stderr"))

    def test_the_login_may_stand_in_the_url(self):
        url = f"mqtt://alice:secret@127.0.0.1:{self.broker.mqtt}/home/a"
        subscriber = self.subscribe("mosquitto", "-t", "home/#", user="alice", password="secret")
        self.finish(HERMOD, "pub", url, "-m", "by-url")
        self.assertEqual(subscriber.wait_lines(1), ["by-url"])
        self.finish(HERMOD, "pub", url.replace("secret", "wrong"), "-m", "x", status=1)

    def test_many_at_once_are_all_answered(self):
        clients = [self.start(*self.client("mosquitto", "pub", "-t", "home/a", "-m", "x",
                                           user="alice", password="secret" if i % 2 else "no"))
                   for i in range(30)]
        for i, client in enumerate(clients):
            self.assertEqual(client.wait() == 0, i % 2 == 1)

    def test_a_changed_password_counts_after_hup_and_ends_its_connections(self):
        kept = self.subscribe("hermod", "-t", "x", user="root", password="r00t")
        gone = self.subscribe("hermod", "-t", "home/a", user="alice", password="secret")
        self.set_password("alice", "changed")
        self.publish("alice", "secret", "home/a", "x")  # not read yet
        self.reload()
        self.assertEqual(gone.wait(), 1)
        self.publish("alice", "secret", "home/a", "x", kind="hermod", status=1)
        self.publish("alice", "changed", "home/a", "x")
        self.publish("root", "r00t", "x", "still here")
        self.assertEqual(kept.wait_lines(1), ["still here"])

    def test_a_broken_file_changes_nothing(self):
        self.passwords.write_text("alice:plain\n")
        self.rules.write_text("topic everything is allowed\n")
        self.reload()
        log = self.broker.text("stderr")
        self.assertIn(f"{self.passwords}:1: user \"alice\": the password is not hashed. Hash all "
                      "passwords of the file with: hermod passwd -U FILE", log)
        self.assertIn(f"{self.rules}:1: \"everything\" is none of read", log)
        self.assertIn("what was read before stays in force", log)
        self.publish("alice", "secret", "home/a", "x")
        self.publish("alice", "plain", "home/a", "x", kind="hermod", status=1)
        self.passwords.unlink()
        self.reload()
        self.assertIn("which cannot be read: No such file", self.broker.text("stderr"))
        self.publish("alice", "secret", "home/a", "x")


class Rules(IdentityTest):
    def test_what_is_written_and_read(self):
        for kind, qos in itertools.product(KINDS, ("0", "1", "2")):
            with self.subTest(kind=kind, qos=qos):
                root = self.subscribe(kind, "-v", "-t", "#", "-q", qos, user="root",
                                      password="r00t")
                alice = self.subscribe(kind, "-v", "-t", "#", "-t", "home/+", "-q", qos,
                                       user="alice", password="secret")
                for topic in ("home/a", "home/safe", "open/a", "log/alice/me", "log/alice/you"):
                    self.publish("alice", "secret", topic, "by-alice", "-q", qos, "-i", "me")
                for topic in ("home/safe", "open/a", "secret", "home/b"):
                    self.publish("root", "r00t", topic, "by-root", "-q", qos)
                self.assertEqual(root.wait_lines(6), [
                    "home/a by-alice", "log/alice/me by-alice", "home/safe by-root",
                    "open/a by-root", "secret by-root", "home/b by-root"])
                self.assertEqual(alice.wait_lines(2), ["home/a by-alice", "home/b by-root"])
                root.close()
                alice.close()

    def test_retained_values_are_checked(self):
        self.publish("root", "r00t", "home/safe", "hidden", "-r")
        self.publish("root", "r00t", "home/z", "seen", "-r")
        for kind in KINDS:
            alice = self.subscribe(kind, "-v", "-t", "home/#", user="alice", password="secret")
            self.assertEqual(alice.wait_lines(1), ["home/z seen"])

    def test_changed_rules_count_after_hup_for_those_who_have_subscribed(self):
        alice = self.subscribe("mosquitto", "-v", "-t", "home/#", "-q", "1", user="alice",
                               password="secret")
        self.publish("root", "r00t", "home/a", "1")
        alice.wait_lines(1)  # QoS 0: its sender does not know when the broker has it
        self.rules.write_text(RULES.replace("home/safe", "home/a"))
        self.reload()
        self.publish("root", "r00t", "home/a", "2")
        self.publish("root", "r00t", "home/safe", "3")
        self.assertEqual(alice.wait_lines(2), ["home/a 1", "home/safe 3"])


class CoapRules(IdentityTest):
    """CoAP peers have no name: the lines before the first user are theirs."""

    anonymous = True

    def coap(self, method, topic, *options):
        process = self.start(require("coap-client-notls"), "-B", "10", "-m", method, *options,
                             f"coap://127.0.0.1:{self.broker.coap}/ps/data/{topic}")
        self.assertEqual(process.wait(), 0, process.text("stderr"))
        return process.text() + process.text("stderr")

    def test_get_put_and_observe(self):
        self.publish("root", "r00t", "open/a", "seen", "-r")
        self.publish("root", "r00t", "home/a", "hidden", "-r")
        self.assertIn("seen", self.coap("get", "open/a"))
        for topic, options in itertools.product(("home/a", "unknown"), ((), ("-s", "1"))):
            answer = self.coap("get", topic, *options)
            self.assertIn("4.03", answer)
            self.assertNotIn("hidden", answer)
        self.assertIn("4.03", self.coap("put", "open/a", "-e", "changed"))
        self.assertIn("4.03", self.coap("delete", "open/a"))
        self.assertIn("seen", self.coap("get", "open/a"))

    def test_an_observer_sees_no_more_once_the_rules_forbid_it(self):
        self.publish("root", "r00t", "open/a", "first", "-r")
        observer = self.start(require("coap-client-notls"), "-s", "60", "-m", "get",
                              f"coap://127.0.0.1:{self.broker.coap}/ps/data/open/a")
        observer.wait_for("first")
        self.publish("root", "r00t", "open/a", "second", "-r")
        observer.wait_for("second")
        self.rules.write_text(RULES.replace("topic read open/#", "topic read open/b"))
        self.reload()
        self.publish("root", "r00t", "open/a", "third", "-r")
        self.assertIn("4.03", self.coap("get", "open/a"))
        self.assertNotIn("third", observer.text())


class Closed(IdentityTest):
    def test_peers_without_a_name_may_do_nothing_where_names_are_needed(self):
        self.publish("root", "r00t", "open/a", "hidden", "-r")
        for method in ("get", "put"):
            options = ("-e", "x") if method == "put" else ()
            answer = CoapRules.coap(self, method, "open/a", *options)
            self.assertIn("4.03", answer)
            self.assertNotIn("hidden", answer)
        self.assertIn("CoAP clients have no user names yet", self.broker.text("stderr"))


if __name__ == "__main__":
    main()
