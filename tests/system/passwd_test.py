#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""hermod passwd, and its files with mosquitto_passwd's, both ways; and what serve says of files."""
import os
import pty
import select
import time

from processes import HERMOD, PATIENCE_S, Process, ProcessTest, free_port, main, require


class Passwd(ProcessTest):
    def setUp(self):
        super().setUp()
        self.file = self.directory / "passwords"

    def passwd(self, *words, status=0, **options):
        process = self.start(HERMOD, "passwd", *words, **options)
        self.assertEqual(process.wait(), status, process.text("stderr"))
        return process.text("stderr")

    def lines(self):
        return self.file.read_text().splitlines()

    def may_log_in(self, server, user, password):
        """Whether a broker, ours or mosquitto, takes this login."""
        port = free_port()
        config = self.directory / f"{port}.conf"
        config.write_text(f"listener {port} 127.0.0.1\npassword_file {self.file}\n" +
                          ("user root\n" if server == "mosquitto" else ""))
        command = ([require("mosquitto")] if server == "mosquitto" else [HERMOD, "serve"])
        broker = self.start(*command, "-c", config)
        broker.wait_for("running", stream="stderr")
        client = self.start(HERMOD, "pub", "-h", "127.0.0.1", "-p", port, "-t", "a", "-m", "x",
                            "-u", user, "-P", password)
        status = client.wait()
        broker.close()
        return status == 0

    def test_our_files_are_good_for_both_brokers(self):
        self.passwd("-c", "-b", self.file, "bob", "secret")
        self.passwd("-b", "-I", "1", self.file, "eve", "e v e")
        self.passwd("-b", "-H", "sha512", self.file, "old", "o:ld")
        self.assertEqual(self.file.stat().st_mode & 0o777, 0o600)
        self.assertRegex(self.lines()[0], r"\Abob:\$7\$1000\$[\w+/]{16}\$[\w+/]{86}==\Z")
        self.assertTrue(self.lines()[1].startswith("eve:$7$1$"))
        self.assertTrue(self.lines()[2].startswith("old:$6$"))
        for server in ("hermod", "mosquitto"):
            for user, password in (("bob", "secret"), ("eve", "e v e"), ("old", "o:ld")):
                self.assertTrue(self.may_log_in(server, user, password), (server, user))
                self.assertFalse(self.may_log_in(server, user, password + "x"), (server, user))

    def test_lines_for_scram_are_good_for_plain_logins_too(self):
        self.passwd("-c", "-b", "-H", "scram-sha-256", self.file, "bob", "secret")
        self.passwd("-b", "-H", "scram-sha-256", "-I", "5000", self.file, "eve", "e v e")
        self.assertRegex(self.lines()[0], r"\Abob:\$scram-sha-256\$4096\$[\w+/]{22}==\$"
                                          r"[\w+/]{43}=\$[\w+/]{43}=\Z")
        self.assertTrue(self.lines()[1].startswith("eve:$scram-sha-256$5000$"))
        for user, password in (("bob", "secret"), ("eve", "e v e")):
            self.assertTrue(self.may_log_in("hermod", user, password), user)
            self.assertFalse(self.may_log_in("hermod", user, password + "x"), user)
        self.file.write_text("bob:secret\n")
        self.passwd("-U", "-H", "scram-sha-256", self.file)
        self.assertTrue(self.may_log_in("hermod", "bob", "secret"))

    def test_mosquittos_files_can_be_changed(self):
        tool = require("mosquitto_passwd")
        self.finish(tool, "-c", "-b", self.file, "bob", "secret")
        self.finish(tool, "-b", self.file, "eve", "e")
        self.finish(tool, "-H", "sha512", "-b", self.file, "old", "o")
        before = self.lines()
        self.passwd("-b", self.file, "eve", "new")
        self.assertEqual([self.lines()[0], self.lines()[2]], [before[0], before[2]])
        self.passwd("-D", self.file, "bob")
        self.assertEqual([line.partition(":")[0] for line in self.lines()], ["eve", "old"])
        self.assertTrue(self.may_log_in("hermod", "eve", "new"))
        self.assertFalse(self.may_log_in("hermod", "eve", "e"))
        self.assertFalse(self.may_log_in("hermod", "bob", "secret"))
        self.assertTrue(self.may_log_in("hermod", "old", "o"))
        self.finish(tool, "-D", self.file, "eve")  # and mosquitto's tool reads what we wrote
        self.assertEqual(len(self.lines()), 1)

    def test_plain_passwords_are_hashed(self):
        self.file.write_text("# who\nbob:secret\neve:e\n")
        for name in ("bob", "eve"):
            process = self.start(HERMOD, "serve", "-c", self.config())
            self.assertEqual(process.wait(), 2)
            self.assertIn(f"user \"{name}\": the password is not hashed. Hash all passwords of the "
                          "file with: hermod passwd -U FILE", process.text("stderr"))
        self.passwd("-U", self.file)
        self.assertEqual(self.lines()[0], "# who")
        self.assertNotIn("secret", self.file.read_text())
        once = self.file.read_text()
        self.passwd("-U", self.file)  # nothing is left to do
        self.assertEqual(self.file.read_text(), once)
        for server in ("hermod", "mosquitto"):
            self.assertTrue(self.may_log_in(server, "bob", "secret"))
            self.assertTrue(self.may_log_in(server, "eve", "e"))

    def config(self):
        path = self.directory / "hermod.conf"
        path.write_text(f"listener {free_port()} 127.0.0.1\npassword_file {self.file}\n")
        return path

    def test_the_password_comes_twice_from_the_standard_input(self):
        self.passwd("-c", self.file, "bob", stdin=b"secret\nsecret\n")
        self.assertTrue(self.may_log_in("hermod", "bob", "secret"))
        before = self.file.read_text()
        self.assertIn("differ", self.passwd(self.file, "bob", stdin=b"a\nb\n", status=1))
        self.assertIn("twice", self.passwd(self.file, "bob", stdin=b"a\n", status=1))
        self.assertIn("empty", self.passwd(self.file, "bob", stdin=b"\n\n", status=1))
        self.assertEqual(self.file.read_text(), before)

    def test_a_terminal_does_not_show_it(self):
        child, terminal = pty.fork()
        if child == 0:
            os.execv(HERMOD, [HERMOD, "passwd", "-c", str(self.file), "bob"])
        shown = b""
        for prompt in (b"Password: ", b"Reenter password: "):
            shown = self.read_until(terminal, shown, prompt)
            os.write(terminal, b"top-secret\n")
        self.assertEqual(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), 0)
        while select.select([terminal], [], [], 0)[0]:
            try:
                shown += os.read(terminal, 1000)
            except OSError:  # its other end is closed
                break
        os.close(terminal)
        self.assertNotIn(b"top-secret", shown)
        self.assertTrue(self.may_log_in("hermod", "bob", "top-secret"))

    def read_until(self, terminal, shown, words):
        until = time.monotonic() + PATIENCE_S
        while words not in shown:
            self.assertLess(time.monotonic(), until, shown)
            if select.select([terminal], [], [], 1)[0]:
                shown += os.read(terminal, 1000)
        return shown

    def test_what_is_wrong_changes_nothing(self):
        self.passwd("-c", "-b", self.file, "bob", "secret")
        before = self.file.read_text()
        cases = {("-D", self.file, "nobody"): (1, 'has no user "nobody"'),
                 ("-b", self.file, "a:b", "x"): (2, "colons"),
                 ("-b", self.file, "bob"): (2, "-b needs"),
                 (self.file, "bob", "x"): (2, "needs -b"),
                 ("-c", "-D", self.file, "bob"): (2, "exclude each other"),
                 ("-U", self.file, "bob"): (2, "-U takes the file alone"),
                 ("-H", "md5", "-b", self.file, "bob", "x"): (2, "sha512-pbkdf2"),
                 ("-H", "scram-sha-256", "-I", "4095", "-b", self.file, "bob", "x"):
                     (2, "scram-sha-256 takes from 4096 to 1000000"),
                 ("-H", "scram-sha-256", "-b", self.file, "bob", "a\tb"):
                     (1, "it holds a control character"),
                 ("-I", "0", "-b", self.file, "bob", "x"): (2, "--iterations"),
                 ("-b", self.file, "bob", ""): (1, "empty"),
                 (self.file,): (2, "user name is missing"),
                 (): (2, "password file is missing"),
                 ("-b", self.directory / "none", "bob", "x"): (1, "give -c"),
                 ("-c", "-b", self.directory / "no" / "file", "bob", "x"): (1, "cannot be written"),
                 ("-b", self.directory, "bob", "x"): (1, "cannot be read: it is a directory")}
        for words, (status, says) in cases.items():
            with self.subTest(words=words):
                self.assertIn(says, self.passwd(*words, status=status))
                self.assertEqual(self.file.read_text(), before)
        self.assertEqual(sorted(self.directory.iterdir()), [self.file])  # nothing is left behind

    def test_a_link_stays_a_link(self):
        self.passwd("-c", "-b", self.file, "bob", "secret")
        link = self.directory / "link"
        link.symlink_to(self.file)
        self.passwd("-b", link, "eve", "e")
        self.assertTrue(link.is_symlink())
        self.assertEqual(len(self.lines()), 2)


class Files(ProcessTest):
    """What serve says of the files that a configuration names."""

    def refused(self, *lines):
        path = self.directory / "hermod.conf"
        path.write_text("\n".join([f"listener {free_port()} 127.0.0.1", *lines, ""]))
        process = self.start(HERMOD, "serve", "-c", path)
        self.assertEqual(process.wait(), 2)
        return process.text("stderr")

    def test_every_wrong_line_is_named(self):
        passwords = self.directory / "passwords"
        rules = self.directory / "acl"
        passwords.write_text("bob\nbob:$7$x$y$z\n")
        rules.write_text("topic read a\ntopic sometimes b\nuser\n")
        said = self.refused(f"password_file {passwords}", f"acl_file {rules}")
        for words in (f"{passwords}:1: the line has no colon", f"{passwords}:2: user \"bob\"",
                      f"{rules}:2: \"sometimes\"", f"{rules}:3: \"user\" needs a name"):
            self.assertIn(words, said)

    def test_a_file_that_is_not_there(self):
        said = self.refused("allow_anonymous true", f"acl_file {self.directory}/none")
        self.assertRegex(said, r"hermod.conf:3: \"acl_file\" names .*No such file")

    def test_relative_names_begin_where_the_broker_was_started(self):
        (self.directory / "acl").write_text("topic a\n")
        path = self.directory / "hermod.conf"
        path.write_text(f"listener {free_port()} 127.0.0.1\nallow_anonymous true\nacl_file acl\n")
        here = self.start("/bin/sh", "-c", f"cd {self.directory} && exec {HERMOD} serve -c {path}",
                          kind=Process)
        here.wait_for("running", stream="stderr")
        elsewhere = self.start(HERMOD, "serve", "-c", path)
        self.assertEqual(elsewhere.wait(), 2)

    def test_each_listener_may_have_its_own(self):
        (self.directory / "acl").write_text("pattern read news\n")
        first, second = free_port(), free_port()
        path = self.directory / "hermod.conf"
        path.write_text(f"per_listener_settings true\nlistener {first} 127.0.0.1\n"
                        f"allow_anonymous true\nacl_file {self.directory}/acl\n"
                        f"listener {second} 127.0.0.1\n")
        broker = self.start(HERMOD, "serve", "-c", path)
        broker.wait_for("running", stream="stderr")
        self.assertIn(f"no client can connect to port {second}", broker.text("stderr"))
        self.assertIn("acl:1: the pattern \"news\" holds neither", broker.text("stderr"))
        for port, status in ((first, 0), (second, 1)):
            self.finish(HERMOD, "pub", "-h", "127.0.0.1", "-p", port, "-t", "a", "-m", "x",
                        status=status)


if __name__ == "__main__":
    main()
