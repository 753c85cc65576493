#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The broker under the name `mosquitto`, with mosquitto's clients."""
import os
import pwd
import select
import signal
import socket
import unittest
from pathlib import Path

from processes import HERMOD, PATIENCE_S, ProcessTest, free_port, main, require


class MosquittoTest(ProcessTest):
    def setUp(self):
        super().setUp()
        self.link = self.directory / "mosquitto"
        self.link.symlink_to(HERMOD)

    def config(self, *lines):
        file = self.directory / "mosquitto.conf"
        file.write_text("\n".join([*lines, ""]))
        return file

    def serve(self, *options):
        process = self.start(self.link, *options)
        process.wait_for("mosquitto version .* running", stream="stderr")
        return process

    def exchange(self, port):
        """A message of mosquitto's clients goes through."""
        self.finish(require("mosquitto_pub"), "-h", "127.0.0.1", "-p", port, "-t", "t", "-m",
                    "kept", "-r", "-q", "1")
        text = self.finish(require("mosquitto_sub"), "-h", "127.0.0.1", "-p", port, "-t", "t", "-C",
                           "1", "-W", PATIENCE_S)
        self.assertEqual(text, "kept\n")

    def refused(self, *options, status=3):
        process = self.start(self.link, *options)
        self.assertEqual(process.wait(), status, process.text("stderr"))
        return process.text("stderr")


class Foreground(MosquittoTest):
    def test_without_configuration_it_serves_this_machine(self):
        ports = [free_port(), free_port()]
        broker = self.serve("-p", ports[0], "-p", ports[1])
        said = broker.text("stderr")
        self.assertIn("Starting in local only mode.", said)
        self.assertNotIn("coap", said)
        self.assertNotIn("0.0.0.0", said)
        for port in ports:
            self.exchange(port)
        broker.signal(signal.SIGTERM)
        self.assertEqual(broker.wait(), 0)
        self.assertRegex(broker.text("stderr"), "mosquitto version .* terminating")

    def test_a_configuration_without_listener_is_local_only(self):
        port = free_port()
        broker = self.serve("-c", self.config("log_type all"), "-p", port)
        self.assertIn("Starting in local only mode.", broker.text("stderr"))
        self.exchange(port)

    def test_a_listener_of_the_configuration_counts_more_than_p(self):
        port, other = free_port(), free_port()
        broker = self.serve("-c", self.config(f"listener {port} 127.0.0.1", "allow_anonymous true"),
                            "-p", other, "-v")
        self.assertIn("-p is ignored", broker.text("stderr"))
        self.exchange(port)
        with self.assertRaises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", other), PATIENCE_S)

    def test_a_listener_is_closed_for_nameless_clients(self):
        port = free_port()
        self.serve("-c", self.config(f"listener {port} 127.0.0.1"))
        self.finish(require("mosquitto_pub"), "-h", "127.0.0.1", "-p", port, "-t", "t", "-m", "x",
                    status=5)

    def test_hup_reads_the_passwords_again_and_usr_does_no_harm(self):
        port, passwords = free_port(), self.directory / "passwords"
        self.finish(require("mosquitto_passwd"), "-b", "-c", passwords, "alice", "one")
        broker = self.serve("-c", self.config(f"listener {port} 127.0.0.1", "user root",
                                              f"password_file {passwords}"))
        login = ("-h", "127.0.0.1", "-p", port, "-t", "t", "-m", "x", "-u", "bob", "-P", "two")
        self.finish(require("mosquitto_pub"), *login, status=4)
        self.finish(require("mosquitto_passwd"), "-b", passwords, "bob", "two")
        for number in (signal.SIGUSR1, signal.SIGUSR2, signal.SIGHUP):
            broker.signal(number)
        broker.wait_for("have been read again", stream="stderr")
        self.finish(require("mosquitto_pub"), *login)

    def test_wrong_command_lines_and_configurations(self):
        self.assertTrue(self.refused("--foo").startswith("Error: there is no option --foo."))
        self.assertIn("-p", self.refused("-p", "0"))
        self.assertIn("cannot be read", self.refused("-c", "/nonexistent"))
        self.assertIn("unknown directive", self.refused("-c", self.config("foo bar")))
        self.assertIn("unknown directive", self.refused("-d", "-c", self.config("foo bar")))
        for line in ("accept_protocol_versions 4", "listener 1883\ncertfile x"):
            self.assertIn("cannot be obeyed", self.refused("-c", self.config(line)))

    def test_configurations_can_be_tested(self):
        self.assertIn("needs the configuration", self.refused("--test-config"))
        self.refused("--test-config", "-c", self.config("foo bar"))
        file = self.config("listener 1883", "persistence true", "persistence_location /var/lib/x/")
        process = self.start(self.link, "--test-config", "-c", file)
        self.assertEqual(process.wait(), 0)
        self.assertEqual(process.text(), f"{file}: the configuration is right.\n")
        self.assertEqual(process.text("stderr").count("warning:"), 0)

    @unittest.skipUnless(os.geteuid() == 0, "only root can become another user")
    def test_root_is_left(self):
        for lines, user in ((("user nobody",), "nobody"), (("user root",), "root")):
            port = free_port()
            broker = self.serve("-p", port, "-c", self.config(*lines))
            status = Path(f"/proc/{broker.child.pid}/status").read_text()
            uid = pwd.getpwnam(user).pw_uid
            self.assertRegex(status, rf"(?m)^Uid:\t{uid}\t{uid}\t{uid}\t{uid}$")
            self.exchange(port)
        self.assertIn('there is no user "no-such-user"', self.refused(
            "-p", free_port(), "-c", self.config("user no-such-user"), status=1))


class Background(MosquittoTest):
    def files(self, *lines):
        self.pid_file = self.directory / "mosquitto.pid"
        self.log = self.directory / "mosquitto.log"
        return self.config(f"pid_file {self.pid_file}", f"log_dest file {self.log}", "user root",
                           *lines)

    def test_it_leaves_the_terminal_once_its_ports_are_open(self):
        port = free_port()
        self.finish(self.link, "-d", "-p", port, "-c", self.files())
        number = int(self.pid_file.read_text())
        self.addCleanup(self.kill, number)
        self.exchange(port)
        self.assertEqual(os.getsid(number), number)
        self.assertEqual(os.readlink(f"/proc/{number}/fd/2"), "/dev/null")
        ended = os.pidfd_open(number)  # not our child: the descriptor tells its end
        self.addCleanup(os.close, ended)
        os.kill(number, signal.SIGTERM)
        self.assertTrue(select.select([ended], [], [], PATIENCE_S)[0])
        self.assertFalse(self.pid_file.exists())
        self.assertRegex(self.log.read_text(), "(?s) running.* terminating.* terminated")

    def kill(self, number):
        try:
            os.kill(number, signal.SIGKILL)
        except ProcessLookupError:
            pass

    def test_its_errors_are_told_before(self):
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            port = taken.getsockname()[1]
            self.assertRegex(self.refused("-d", "-p", port, "-c", self.files(), status=1),
                             r"Address already in use: another program has this port\. Choose "
                             r"another one with -p PORT, or")
        self.assertFalse(self.pid_file.exists())
        file = self.config("pid_file /nonexistent/pid", "user root")
        self.assertIn('pid_file "/nonexistent/pid" cannot be written: No such file',
                      self.refused("-d", "-p", free_port(), "-c", file, status=1))


if __name__ == "__main__":
    main()
