# SPDX-License-Identifier: Apache-2.0
"""mosquitto's broker, for tests of our clients: what they do with a server that is not ours."""
import os
import signal

from processes import Process, free_port, require


class Mosquitto(Process):
    """On a free port of the loopback interface. The same port and file again: `again=` an earlier
    one, which has ended."""

    def __init__(self, *lines, directory, anonymous=True, again=None):
        self.mqtt = again.mqtt if again else free_port()
        self.file = directory / f"mosquitto-{self.mqtt}.conf"
        if not again:
            # Whoever runs the test owns its files: mosquitto must not become somebody else.
            user = ["user root"] if os.geteuid() == 0 else []
            self.file.write_text("\n".join([
                *user, f"listener {self.mqtt} 127.0.0.1",
                f"allow_anonymous {'true' if anonymous else 'false'}", *lines, ""]))
        super().__init__(require("mosquitto"), "-c", self.file)
        self.wait_for("mosquitto version .* running", stream="stderr")

    def stop(self):
        self.signal(signal.SIGTERM)
        self.wait()
