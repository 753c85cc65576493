# SPDX-License-Identifier: Apache-2.0
"""The layer check refuses bad edges, and an undeclared include does not compile.

Usage: layer_check_test.py CMAKE CXX_COMPILER
"""
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

PROJECT = Path(__file__).resolve().parent / "layers"
CMAKE, COMPILER = sys.argv[1:3]


class LayerCheck(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name

    def configure(self, layer, *depends):
        return self.cmake("-S", str(PROJECT), "-B", self.folder, "-G", "Ninja",
                          f"-DCMAKE_CXX_COMPILER={COMPILER}",
                          "-DCMAKE_CXX_COMPILER_FORCED=ON",  # no need to examine it five times
                          f"-DTHIRD_LAYER={layer}",
                          f"-DTHIRD_DEPENDS={';'.join(depends)}")

    def cmake(self, *arguments):
        done = subprocess.run([CMAKE, *arguments], capture_output=True, text=True, check=False,
                              timeout=120)
        return done.returncode, " ".join((done.stdout + done.stderr).split())

    def test_downward_edges_are_accepted(self):
        self.assertEqual(self.configure(4, "low", "high")[0], 0)
        status, output = self.cmake("--build", self.folder)
        self.assertEqual(status, 0, output)

    def test_upward_edge_is_refused(self):
        status, output = self.configure(2, "low", "high")
        self.assertNotEqual(status, 0)
        self.assertIn("Layer violation: 'third' (layer 2) depends on 'high' (layer 3)", output)

    def test_edge_within_a_layer_is_refused(self):
        status, output = self.configure(3, "low", "high")
        self.assertNotEqual(status, 0)
        self.assertIn("Layer violation: 'third' (layer 3) depends on 'high' (layer 3)", output)

    def test_unknown_module_is_refused(self):
        status, output = self.configure(4, "low", "nobody")
        self.assertNotEqual(status, 0)
        self.assertIn("Module 'third' depends on 'nobody', which is not declared", output)

    def test_undeclared_include_does_not_compile(self):
        self.assertEqual(self.configure(4, "low")[0], 0)
        status, output = self.cmake("--build", self.folder)
        self.assertNotEqual(status, 0)
        self.assertRegex(output, r"hermod/high/high\.hpp.*(No such file|file not found)")


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
