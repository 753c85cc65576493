#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""`hermod serve` as a process: configuration files, ports, signals, the log."""
import signal
import socket
import time

from processes import HERMOD, PATIENCE_S, ProcessTest, free_port, main


class Configuration(ProcessTest):
    def refused(self, text, *, status=2):
        """What `hermod serve` says to a wrong configuration."""
        file = self.directory / "wrong.conf"
        file.write_text(text)
        process = self.start(HERMOD, "serve", "-c", file)
        self.assertEqual(process.wait(), status, process.text("stderr"))
        return process.text("stderr").replace(str(self.directory), "DIR")

    def test_wrong_lines_are_refused_with_file_line_reason_and_nearest_word(self):
        self.assertEqual(self.refused("# ok\nlistner 1883\nthreads many\n"), (
            'DIR/wrong.conf:2: unknown directive "listner". Did you mean "listener"? All of them: '
            "hermod help config\n"
            'DIR/wrong.conf:3: "threads" is "many", but must be a whole number from 0 to 64.\n'))

    def test_missing_file(self):
        process = self.start(HERMOD, "serve", "-c", "/nonexistent.conf")
        self.assertEqual(process.wait(), 2)
        self.assertEqual(process.text("stderr"),
                         "/nonexistent.conf: cannot be read: No such file or directory.\n")

    def test_unknown_address(self):
        self.assertIn("no-such-host.invalid",
                      self.refused(f"listener {free_port()} no-such-host.invalid\n", status=1))

    def test_address_of_another_machine(self):
        self.assertIn("this machine has no such address",
                      self.refused(f"listener {free_port()} 192.0.2.1\n", status=1))

    def test_ignored_directives_are_warned_of(self):
        broker = self.start_broker("bridge_cafile x", "autosave_interval 60")
        for text in ('"bridge_cafile" has no effect', '"autosave_interval" has no effect'):
            self.assertRegex(broker.text("stderr"), rf"hermod-\d+\.conf:\d: warning: {text}")
        broker.stop()


class Ports(ProcessTest):
    def start_default(self, *options):
        process = self.start(HERMOD, "serve", *options)
        process.wait_for("hermod version .* running", stream="stderr")
        return process

    def test_without_configuration_it_serves_this_machine_and_says_how_to_begin(self):
        mqtt, coap = free_port(), free_port(socket.SOCK_DGRAM)
        process = self.start_default("-p", mqtt, "--coap-port", coap)
        process.wait_for("hello -m hi", stream="stderr")
        said = process.text("stderr")
        for text in (f"Listening on 127.0.0.1:{mqtt} (mqtt).",
                     f"Listening on 127.0.0.1:{coap} (coap).", "local only mode",
                     f"hermod sub 'mqtt://localhost:{mqtt}/#' -v"):
            self.assertIn(text, said)
        self.assertNotIn("0.0.0.0", said)
        # The advice works as it stands.
        listener = self.start(HERMOD, "sub", f"mqtt://localhost:{mqtt}/#", "-v", "-d")
        listener.wait_for("^Subscribed", stream="stderr")
        self.finish(HERMOD, "pub", f"mqtt://localhost:{mqtt}/hello", "-m", "hi")
        self.assertEqual(listener.wait_lines(1), ["hello hi"])
        self.finish(HERMOD, "pub", f"coap://localhost:{coap}/hello", "-m", "over CoAP")
        listener.wait_for("^hello over CoAP\n")

    def test_a_port_in_use_is_named(self):
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            port = taken.getsockname()[1]
            process = self.start(HERMOD, "serve", "-p", port, "--coap-port", free_port())
            self.assertEqual(process.wait(), 1)
        self.assertEqual(process.text("stderr").splitlines()[-1], (
            f"hermod serve: cannot listen on 127.0.0.1:{port}: Address already in use: another "
            "program has this port. Choose another one with -p PORT or --coap-port PORT, or with a "
            "listener line in the configuration."))

    def test_two_brokers_do_not_share_a_port(self):
        mqtt, coap = free_port(), free_port(socket.SOCK_DGRAM)
        self.start_default("-p", mqtt, "--coap-port", coap)
        for ports in ((mqtt, free_port(socket.SOCK_DGRAM)), (free_port(), coap)):
            second = self.start(HERMOD, "serve", "-p", ports[0], "--coap-port", ports[1])
            self.assertEqual(second.wait(), 1)
            self.assertIn("Address already in use", second.text("stderr"))


class Signals(ProcessTest):
    def test_term_and_int_end_it_with_status_0(self):
        for number in (signal.SIGTERM, signal.SIGINT):
            broker = self.start_broker()
            broker.signal(number)
            self.assertEqual(broker.wait(), 0)
            self.assertRegex(broker.text("stderr"), r"terminating\n.*terminated\n\Z")

    def test_term_ends_it_with_clients_connected(self):
        broker = self.start_broker()
        client = self.start(HERMOD, "sub", "-p", broker.mqtt, "-h", "127.0.0.1", "-t", "#", "-d")
        client.wait_for("^Subscribed", stream="stderr")
        broker.stop()
        self.assertEqual(client.wait(), 1)

    def test_hup_reopens_the_log_and_takes_its_settings(self):
        log = self.directory / "hermod.log"
        other = self.directory / "other.log"
        broker = self.start_broker("log_dest stderr", f"log_dest file {log}", "log_timestamp false")
        self.assertRegex(log.read_text(), r"\Ahermod version .* starting\n")
        log.rename(self.directory / "rotated.log")
        broker.write("log_dest stderr", f"log_dest file {other}", "log_timestamp_format %Y")
        broker.signal(signal.SIGHUP)
        self.finish_client(broker, "-i", "after-hup")
        broker.wait_for(r"^20\d\d: New client connected from \S+ as after-hup", stream="stderr")
        self.assertIn("after-hup", other.read_text())
        broker.write("log_type nonsense")
        broker.signal(signal.SIGHUP)
        broker.wait_for("The configuration is wrong: the settings stay", stream="stderr")
        self.finish_client(broker, "-i", "still-logged")
        broker.wait_for("still-logged", stream="stderr")
        broker.stop()

    def finish_client(self, broker, *options):
        self.finish(HERMOD, "pub", "-h", "127.0.0.1", "-p", broker.mqtt, "-t", "x", "-m", "y",
                    *options)


class Log(ProcessTest):
    def test_types_and_destinations(self):
        loud = self.start(HERMOD, "serve", "-c", self.config("log_dest stdout", "log_type notice"))
        loud.wait_for("running", stream="stdout")
        loud.signal(signal.SIGTERM)
        self.assertEqual(loud.wait(), 0)
        self.assertEqual(loud.text("stderr"), "")

    def test_no_log_at_all(self):
        mute = self.start(HERMOD, "serve", "-c", self.config("log_dest none"))
        self.wait_until_connected(self.port)
        mute.signal(signal.SIGTERM)
        self.assertEqual(mute.wait(), 0)
        self.assertEqual(mute.text() + mute.text("stderr"), "")

    def wait_until_connected(self, port):
        """Until somebody listens there; a process that logs nothing shows no other sign."""
        until = time.monotonic() + PATIENCE_S
        while time.monotonic() < until:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    return
            time.sleep(0.01)
        raise AssertionError(f"nothing listens on {port}")

    def config(self, *lines):
        self.port = free_port()
        file = self.directory / f"{self.port}.conf"
        listener = f"listener {self.port} 127.0.0.1"
        file.write_text("\n".join([listener, "allow_anonymous true", *lines]))
        return file

    def test_lines_begin_with_the_time(self):
        broker = self.start_broker("log_timestamp_format %d/%m/%Y")
        for line in broker.text("stderr").splitlines():
            self.assertRegex(line, r"\A\d\d/\d\d/20\d\d: ")

    def test_connections_can_be_left_out(self):
        broker = self.start_broker("connection_messages false")
        self.finish(HERMOD, "pub", "-h", "127.0.0.1", "-p", broker.mqtt, "-t", "x", "-m", "y")
        broker.stop()
        self.assertNotIn("New client", broker.text("stderr"))

    def test_a_log_file_that_cannot_be_written(self):
        process = self.start(HERMOD, "serve", "-c", self.config(f"log_dest file {self.directory}"))
        self.assertEqual(process.wait(), 1)
        self.assertRegex(process.text("stderr"), "the log file .* cannot be opened")


if __name__ == "__main__":
    main()
