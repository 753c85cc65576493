# SPDX-License-Identifier: Apache-2.0
"""Each house rule can fail: a clean small tree passes, and one bad change breaks just that rule."""
import tempfile
import unittest
from pathlib import Path

from cpp_functions import functions
from house_rules import violations

SPDX_CPP = "// SPDX-License-Identifier: Apache-2.0\n"
SPDX_HASH = "# SPDX-License-Identifier: Apache-2.0\n"

CLEAN = {
    "CMakeLists.txt": SPDX_HASH + "project(x)\n",
    "ARCHITECTURE.md": "# House\n" * 200,
    "src/core/CMakeLists.txt": SPDX_HASH + "hermod_module(NAME core LAYER 2)\n",
    "src/core/README.md": "# Core\nKeeps. Must not know sockets. Entry file: queue.hpp. Example.\n",
    "src/core/include/hermod/core/queue.hpp": SPDX_CPP + "#pragma once\nclass Queue {};\n",
    "src/core/queue.cpp": SPDX_CPP + '#include "hermod/core/queue.hpp"\n#include "ring.hpp"\n',
    "src/core/ring.hpp": SPDX_CPP + "#pragma once\n",
    "src/core/tests/ring_test.cpp": SPDX_CPP + '#include "../ring.hpp"\n',
    "src/broker/CMakeLists.txt": SPDX_HASH + "hermod_module(NAME broker LAYER 4)\n",
    "src/broker/README.md": "# Broker\n\nRuns. It must not know CoAP. Entry: shard.hpp. Example.\n",
    "src/transport/tcp.cpp": SPDX_CPP + "#include <sys/socket.h>\n",
    "src/protocols/coap/README.md": "# CoAP\nReads. Must not know MQTT. Entry: a.hpp. Example.\n",
    "src/protocols/coap/codec/CMakeLists.txt": SPDX_HASH + "hermod_module(NAME c LAYER 1)\n",
    "tool": "#!/bin/sh\n" + SPDX_HASH,
}


def body(lines):
    return SPDX_CPP + "int f(int a) {\n" + "  ++a;\n" * (lines - 2) + "}\n"


# What is written into the clean tree, and the one rule that this must break.
BAD = [
    ("spdx", "src/core/a.cpp", "int a;\n"),
    ("spdx", "src/core/a.cpp", "\n" + SPDX_CPP),
    ("spdx", "dev", "#!/bin/sh\necho\n"),
    ("spdx", "cmake/a.cmake", "set(a)\n"),
    ("file-length", "src/core/a.cpp", SPDX_CPP + "int a;\n" * 800),
    ("file-length", "ARCHITECTURE.md", "# House\n" * 201),
    ("function-length", "src/core/a.cpp", body(71)),
    ("function-length", "a.py", SPDX_HASH + "def f():\n" + "    f()\n" * 70),
    ("columns", "src/core/a.cpp", SPDX_CPP + "// " + "x" * 98 + "\n"),
    ("columns", "CMakeLists.txt", SPDX_HASH + "# " + "x" * 99 + "\n"),
    ("marks", "src/core/a.cpp", SPDX_CPP + "// TO" "DO later\n"),
    ("marks", "README.md", "FIX" "ME\n"),
    ("machine-path", "README.md", "see /ho" "me/me/hermod\n"),
    ("machine-path", "src/core/a.cpp", SPDX_CPP + 'auto a = "/ro' 'ot/x";\n'),
    ("names", "src/core/a.cpp", SPDX_CPP + "class QueueManager {};\n"),
    ("names", "src/core/a.cpp", SPDX_CPP + "enum class PacketInfo { kA };\n"),
    ("names", "src/core/a.cpp", SPDX_CPP + "using UserData = int;\n"),
    ("names", "src/core/string_utils.cpp", SPDX_CPP),
    ("pragma-once", "src/core/a.hpp", SPDX_CPP + "#ifndef A\n#endif\n"),
    ("purity", "src/core/a.cpp", SPDX_CPP + "#include <sys/socket.h>\n"),
    ("purity", "src/broker/a.cpp", SPDX_CPP + "#include <sys/epoll.h>\n"),
    ("purity", "src/app/a.cpp", SPDX_CPP + "#include <openssl/ssl.h>\n"),
    ("purity", "src/app/a.cpp", SPDX_CPP + "#include <openssl/evp.h>\n"),
    ("purity", "src/identity/a.cpp", SPDX_CPP + "#include <openssl/ssl.h>\n"),
    ("purity", "src/sasl/a.cpp", SPDX_CPP + "#include <openssl/ssl.h>\n"),
    ("purity", "src/app/a.cpp", SPDX_CPP + "#include <boost/asio/ip/tcp.hpp>\n"),
    ("purity", "src/core/a.cpp", SPDX_CPP + "#include <boost/asio/io_context.hpp>\n"),
    ("purity", "src/core/a.cpp", SPDX_CPP + "#include <mutex>\n"),
    ("purity", "src/protocols/coap/codec/a.cpp",
     SPDX_CPP + "auto a = std::chrono::steady_clock::now();\n"),
    ("private-include", "src/broker/a.cpp", SPDX_CPP + '#include "../core/ring.hpp"\n'),
    ("private-include", "src/broker/a.cpp", SPDX_CPP + '#include "../nowhere/ring.hpp"\n'),
    ("module-readme", "src/core/README.md", None),
    ("module-readme", "src/core/README.md", "# Core\nKeeps. Entry. Example.\n"),
    ("module-readme", "src/core/README.md", "# Core\n## Must not know\nEntry. Example.\n"),
    ("module-readme", "src/protocols/coap/README.md", None),
]

# Not broken: what a careless rule would take for a violation.
GOOD = [
    ("src/core/a.cpp", body(70)),
    ("src/core/a.cpp", SPDX_CPP + "// " + "x" * 97 + "\n"),
    ("src/core/a.cpp", SPDX_CPP + "enum class Level { kInfo };\nclass Metadata {};\n"),
    ("src/core/a.cpp", SPDX_CPP + "// class QueueManager would be wrong\n"),
    ("src/core/a.cpp", SPDX_CPP + 'auto topic = "data/home/kitchen/light";\n'),
    ("src/core/tests/a_test.cpp", SPDX_CPP + "#include <thread>\n"),
    ("tests/system/a.cpp", SPDX_CPP + "#include <sys/socket.h>\n"),
    ("src/app/a.cpp", SPDX_CPP + "#include <boost/asio/io_context.hpp>\n"),
    ("src/identity/a.cpp", SPDX_CPP + "#include <openssl/evp.h>\n"),
    ("src/sasl/a.cpp", SPDX_CPP + "#include <openssl/hmac.h>\n"),
    ("build/generated.cpp", "int a;\n"),
]


def rules_broken(changes):
    with tempfile.TemporaryDirectory() as folder:
        for path, text in {**CLEAN, **changes}.items():
            if text is not None:
                target = Path(folder) / path
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_text(text, encoding="utf-8")
        return [rule for _, _, rule, _ in violations(folder)]


class HouseRules(unittest.TestCase):
    def test_clean_tree_passes(self):
        self.assertEqual(rules_broken({}), [])

    def test_every_bad_change_breaks_its_rule(self):
        for rule, path, text in BAD:
            with self.subTest(rule=rule, path=path, text=text):
                self.assertEqual(set(rules_broken({path: text})), {rule})

    def test_good_changes_pass(self):
        for path, text in GOOD:
            with self.subTest(path=path, text=text):
                self.assertEqual(rules_broken({path: text}), [])

    def test_empty_tree_fails(self):
        with tempfile.TemporaryDirectory() as folder:
            self.assertEqual([rule for _, _, rule, _ in violations(folder)], ["tree"])


FUNCTIONS = r"""#include <x>
#define MACRO(a) \
  if (a) {       \
  }
namespace a::b {
namespace {
constexpr int kTable[] = {1, 2};
const std::array<int, 2> kOther{{1, 2}};
struct Point {
  int x = f();
  std::vector<int> v{1, 2};
  Point(int a)
      : x{a}, v({1}) {
  }
  [[nodiscard]] bool operator==(const Point&) const { return '{' != '\''; }
  auto size() const noexcept -> std::size_t { return 1'000; }
 private:
  ~Point() {}
};
template <typename T>
  requires Small<T>
T twice(T value) {
  const char* text = R"(} not a brace {)"; /* } */
  auto lambda = [&](int a) {
    return a;
  };
  if (value) {
  }
  return lambda(value);  // }
}
enum class E { kA };
}
auto kLambda = [](int a) { return a; };
}
TEST(Suite, Case) {
  for (;;) {
  }
}
"""


class Functions(unittest.TestCase):
    def test_finds_begin_end_and_name(self):
        self.assertEqual(functions(FUNCTIONS), [
            (12, 14, "Point"), (15, 15, "operator=="), (16, 16, "size"), (17, 18, "~Point"),
            (20, 30, "twice"), (35, 38, "TEST")])


if __name__ == "__main__":
    unittest.main()
