#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""An installed Hermod as others use it: the examples as a foreign project that finds the package,
built and run. HERMOD_BUILD names the build folder."""
import os
import shutil
import subprocess
from pathlib import Path

from processes import ProcessTest, main, require

BUILD = Path(os.environ["HERMOD_BUILD"])
ROOT = Path(__file__).resolve().parents[2]
EVERY = """
#include <boost/asio/io_context.hpp>
#include <cstdio>
int main() {
  boost::asio::io_context io;
  hermod::client::CoapClient client(io.get_executor(), {});
  client.close();
  std::puts("no answer yet");
}
"""


class Installed(ProcessTest):
    def run_quiet(self, *command):
        """A command that may take long and says much."""
        ended = subprocess.run([str(word) for word in command], stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT, text=True, check=False)
        self.assertEqual(ended.returncode, 0, ended.stdout[-4000:])
        return ended.stdout

    def test_a_foreign_project_finds_builds_and_runs(self):
        cmake = require("cmake")
        prefix, source, build = (self.directory / name for name in ("prefix", "source", "build"))
        self.run_quiet(cmake, "--install", BUILD, "--prefix", prefix)
        headers = {path.name for path in (prefix / "include").rglob("*.hpp")}
        self.assertLessEqual({"mqtt_client.hpp", "mqtt_session.hpp", "coap_client.hpp",
                              "server_endpoint.hpp"}, headers)
        self.assertFalse({"mqtt_connection.hpp", "mqtt_reconnector.hpp", "core.hpp",
                          "broker.hpp"} & headers)
        version = self.finish(prefix / "bin" / "hermod", "--version")
        self.assertIn("hermod", version)

        # Outside the tree, so that nothing is found but what is installed. A client, a server,
        # and one program with every header: the others would only take longer.
        shutil.copytree(ROOT / "examples", source)
        include = prefix / "include"
        (source / "every.cpp").write_text("".join(
            f'#include "{path.relative_to(include)}"\n'
            for path in sorted(include.rglob("*.hpp"))) + EVERY)
        with (source / "CMakeLists.txt").open("a") as lists:
            lists.write("add_executable(every every.cpp)\n"
                        "target_link_libraries(every PRIVATE hermod::coap)\n")
        self.run_quiet(cmake, "-S", source, "-B", build, "-G", "Ninja",
                       f"-DCMAKE_PREFIX_PATH={prefix}", "-DCMAKE_CXX_FLAGS=-O0")
        self.run_quiet(cmake, "--build", build, "--target", "example_publish", "every",
                       "coap_plugtest_server", "--parallel", "2")
        self.assertEqual(self.finish(build / "every"), "no answer yet\n")
        server = self.start(build / "coap_plugtest_server", "--port", "0")
        url = server.wait_for(r"^listening on (coap://.*)$")[1].decode()
        self.assertEqual(self.finish(prefix / "bin" / "hermod", "get", url + "/path/sub1"),
                         "/path/sub1")
        broker = self.start_broker()
        subscriber = self.start(prefix / "bin" / "hermod", "sub", "-h", "127.0.0.1",
                                "-p", broker.mqtt, "-t", "a", "-v", "-C", "1", "-d")
        subscriber.wait_for("^Subscribed", stream="stderr")
        self.finish(build / "example_publish", broker.mqtt, "a", "from outside")
        self.assertEqual(subscriber.wait(), 0)
        self.assertEqual(subscriber.text(), "a from outside\n")


if __name__ == "__main__":
    main()
