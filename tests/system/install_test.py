#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""An installed Hermod as others use it: the examples as a foreign project beside the CMake package,
built and run. HERMOD_BUILD names the build folder."""
import os
import shutil
import subprocess
from pathlib import Path

from processes import ProcessTest, main, require

BUILD = Path(os.environ["HERMOD_BUILD"])
ROOT = Path(__file__).resolve().parents[2]


class Installed(ProcessTest):
    def run_quiet(self, *command):
        """A command that may take long and says much."""
        ended = subprocess.run([str(word) for word in command], stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT, text=True, check=False)
        self.assertEqual(ended.returncode, 0, ended.stdout[-4000:])
        return ended.stdout

    def install(self, prefix):
        self.run_quiet(require("cmake"), "--install", BUILD, "--prefix", prefix)

    def test_a_foreign_project_finds_builds_and_runs(self):
        cmake = require("cmake")
        prefix, source, build = (self.directory / name for name in ("prefix", "source", "build"))
        self.install(prefix)
        headers = {path.name for path in (prefix / "include").rglob("*.hpp")}
        self.assertLessEqual({"mqtt_client.hpp", "mqtt_session.hpp", "coap_client.hpp"}, headers)
        self.assertFalse({"mqtt_connection.hpp", "mqtt_reconnector.hpp", "core.hpp",
                          "broker.hpp"} & headers)
        version = self.finish(prefix / "bin" / "hermod", "--version")
        self.assertIn("hermod", version)

        # Outside the tree, so that nothing is found but what is installed. Two programs: the others
        # would only take longer.
        shutil.copytree(ROOT / "examples", source)
        self.run_quiet(cmake, "-S", source, "-B", build, "-G", "Ninja",
                       f"-DCMAKE_PREFIX_PATH={prefix}", "-DCMAKE_CXX_FLAGS=-O0")
        self.run_quiet(cmake, "--build", build, "--target", "example_publish", "example_coap")
        broker = self.start_broker()
        subscriber = self.start(prefix / "bin" / "hermod", "sub", "-h", "127.0.0.1",
                                "-p", broker.mqtt, "-t", "a", "-v", "-C", "1", "-d")
        subscriber.wait_for("^Subscribed", stream="stderr")
        self.finish(build / "example_publish", broker.mqtt, "a", "from outside")
        self.assertEqual(subscriber.wait(), 0)
        self.assertEqual(subscriber.text(), "a from outside\n")
        value = self.finish(build / "example_coap", broker.coap, "b", "1", "1")
        self.assertEqual(value, "value: 1\nobserved: 1\n")

    def test_every_installed_header_stands_alone(self):
        """...as far as it may be included at all: all of them in one file, with nothing beside."""
        prefix, file = self.directory / "prefix", self.directory / "all.cpp"
        self.install(prefix)
        include = prefix / "include"
        file.write_text("".join(f'#include "{path.relative_to(include)}"\n'
                                for path in sorted(include.rglob("*.hpp"))))
        self.run_quiet(require("g++"), "-std=c++23", "-fsyntax-only",
                       "-DBOOST_ASIO_SEPARATE_COMPILATION", "-I", include, file)


if __name__ == "__main__":
    main()
