#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The house rules (STYLE in CONTRIBUTING.md), checked by a test instead of by memory.

Usage: house_rules.py [ROOT]. Prints every broken rule as path:line: rule: what and how to mend it,
and ends with status 1 when there is one. house_rules_test.py shows that each rule can fail.
"""
import ast
import os
import re
import subprocess
import sys
from pathlib import Path

from cpp_functions import functions, strip_comments

FILE_LINES_MAX = 800
FUNCTION_LINES_MAX = 70
COLUMNS_MAX = 100
ARCHITECTURE_LINES_MAX = 200

SPDX = "SPDX-License-Identifier: Apache-2.0"
SCRIPTS = (".py", ".sh", ".cmake")
# Written in two parts, so that this file passes its own rule.
MARKS = re.compile(r"\b(TO" r"DO|FIX" r"ME|XX" r"X|HA" r"CK)\b")
MACHINE_PATH = re.compile(r"(?<![\w.~}])/(?:home|root|Users|work)/[\w.-]+")
BAD_SUFFIX = "(?:Manager|Helpers?|Utils?|Impl|Data|Info)"
BAD_TYPE = re.compile(
    rf"\b(?:class|struct|union|concept|enum(?:\s+(?:class|struct))?|using)\s+(\w*{BAD_SUFFIX})\b"
    r"(?!\s*::)")
BAD_STEM = re.compile(r"(?:^|_)(?:manager|helpers?|utils?|impl|data|info)$")
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')
SOCKETS = re.compile(r"(?:sys/(?:socket|epoll|eventfd|un|poll|select)\.h|poll\.h|netdb\.h"
                     r"|(?:netinet|arpa|openssl)/.*|boost/(?:asio|beast)(?:/.*|\.hpp))$")
# What a command of the program needs of Asio: the loop it runs the client libraries on.
EVENT_LOOP = re.compile(r"boost/asio/(?:error|io_context|post|posix/stream_descriptor|signal_set"
                        r"|steady_timer)\.hpp$")
# What hashing a password needs; a library of primitives, no connection is made with it.
PRIMITIVES = re.compile(r"openssl/(?:crypto|evp|hmac|rand)\.h$")
THREADS = re.compile(r"(?:mutex|shared_mutex|thread|condition_variable|semaphore|latch|barrier"
                     r"|pthread\.h)$")
CLOCKS = re.compile(r"\b(?:\w+_clock::now|clock_gettime|gettimeofday|random_device|getrandom)\b")


class Tree:
    """The files of the project: what git knows or would add; without git, what lies there."""

    def __init__(self, root):
        self.root = Path(root).resolve()
        self.paths = sorted(self._git() or self._walk())
        self.modules = [path.parent for path in self.paths if path.name == "CMakeLists.txt"
                        and re.search(r"^hermod_module\(", self.text(path), re.M)]

    def _git(self):
        environment = dict(os.environ, GIT_CONFIG_COUNT="1", GIT_CONFIG_KEY_0="safe.directory",
                           GIT_CONFIG_VALUE_0="*")
        if not (self.root / ".git").exists():
            return None
        listing = subprocess.run(
            ["git", "-C", str(self.root), "ls-files", "-co", "--exclude-standard"],
            env=environment, capture_output=True, text=True, check=True)
        return [path for path in map(Path, listing.stdout.splitlines())
                if (self.root / path).is_file()]

    def _walk(self):
        for folder, subfolders, names in os.walk(self.root):
            subfolders[:] = [name for name in subfolders
                             if name not in ("build", ".git", ".cache", "node_modules")]
            for name in names:
                yield (Path(folder) / name).relative_to(self.root)

    def text(self, path):
        return (self.root / path).read_text(encoding="utf-8", errors="replace")

    def module_of(self, path):
        """The innermost module folder around a file, or None."""
        around = [module for module in self.modules if module in path.parents]
        return max(around, key=lambda module: len(module.parts), default=None)


def is_cpp(path):
    return path.suffix in (".cpp", ".hpp")


def is_source(path, text):
    return (is_cpp(path) or path.suffix in SCRIPTS or path.name == "CMakeLists.txt"
            or text.startswith("#!"))


def spdx(path, text):
    head = text.splitlines()[:2]
    if is_cpp(path):
        head = head[:1]
    if is_source(path, text) and not any(SPDX in line for line in head):
        yield 1, f"the file must begin with '{SPDX}'"


def file_length(path, text):
    lines = text.count("\n")
    if (is_source(path, text) or path.suffix == ".md") and lines > FILE_LINES_MAX:
        yield lines, f"{lines} lines, at most {FILE_LINES_MAX}: split it by concept"
    if path == Path("ARCHITECTURE.md") and lines > ARCHITECTURE_LINES_MAX:
        yield lines, f"{lines} lines, at most {ARCHITECTURE_LINES_MAX}"


def function_length(path, text):
    spans = []
    if is_cpp(path):
        spans = functions(text)
    elif path.suffix == ".py":
        spans = [(node.lineno, node.end_lineno, node.name) for node in ast.walk(ast.parse(text))
                 if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))]
    for first, last, name in spans:
        lines = last - first + 1
        if lines > FUNCTION_LINES_MAX:
            yield first, f"'{name}' has {lines} lines, at most {FUNCTION_LINES_MAX}"


def columns(path, text):
    if not is_source(path, text):
        return
    for number, line in enumerate(text.splitlines(), 1):
        if len(line) > COLUMNS_MAX:
            yield number, f"{len(line)} columns, at most {COLUMNS_MAX}"


def marks(path, text):
    if not is_source(path, text) and path.suffix != ".md":
        return
    for number, line in enumerate(text.splitlines(), 1):
        found = MARKS.search(line)
        if found:
            yield number, f"'{found[0]}': finish it, or open an issue"


def machine_paths(path, text):
    if not is_source(path, text) and path.suffix not in (".md", ".json", ".apt"):
        return
    for number, line in enumerate(text.splitlines(), 1):
        found = MACHINE_PATH.search(line)
        if found:
            yield number, f"'{found[0]}' exists on one machine only"


def names(path, text):
    if not is_cpp(path):
        return
    if BAD_STEM.search(path.stem.removesuffix("_test")):
        yield 1, f"'{path.name}': name the file after what it holds"
    for number, line in enumerate(strip_comments(text).splitlines(), 1):
        found = BAD_TYPE.search(line)
        if found:
            yield number, f"'{found[1]}': name the type after what it is"


def pragma_once(path, text):
    if path.suffix == ".hpp" and not re.search(r"^#pragma once$", text, re.M):
        yield 1, "the header has no '#pragma once'"


def in_folders(path, *folders):
    return any(Path(folder) in path.parents for folder in folders)


PURE = ("src/base", "src/model", "src/session", "src/core", "src/protocols")


def purity(path, text):
    """Sockets, threads and clocks stay out of the layers that must not know them."""
    if not is_cpp(path) or not in_folders(path, "src"):
        return
    pure = in_folders(path, *PURE) and "tests" not in path.parts
    clock_bodies = path in (Path("src/base/time.cpp"), Path("src/base/rng.cpp"))
    for number, line in enumerate(strip_comments(text, keep_strings=True).splitlines(), 1):
        include = INCLUDE.match(line)
        header = include[2] if include else ""
        loop = EVENT_LOOP.match(header) and in_folders(path, "src/app")
        primitive = PRIMITIVES.match(header) and in_folders(path, "src/identity", "src/sasl")
        at_home = loop or primitive or in_folders(path, "src/transport", "src/client")
        if SOCKETS.match(header) and not at_home:
            yield number, f"<{header}>: sockets and TLS appear in src/transport and src/client only"
        if pure and THREADS.match(header):
            yield number, f"<{header}>: no threads and no locks in or below core"
        found = CLOCKS.search(line)
        if pure and found and not clock_bodies:
            yield number, f"'{found[0]}': time and random numbers are handed in"


def check_includes(tree, path, text):
    """A quoted include is a public header (hermod/...) or lies in the same module."""
    if not is_cpp(path) or not in_folders(path, "src"):
        return
    for number, line in enumerate(strip_comments(text, keep_strings=True).splitlines(), 1):
        include = INCLUDE.match(line)
        if not include:
            continue
        target = Path(os.path.normpath(path.parent / include[2]))
        exists = (tree.root / target).exists()
        foreign = exists and tree.module_of(target) != tree.module_of(path)
        if foreign or ".." in Path(include[2]).parts and not exists:
            yield number, f"'{include[2]}' is private to another module: include its public header"


# The purpose is the first paragraph, whatever words it uses.
README_PARTS = {"purpose": r"\A\s*# .*\n\s*[^#\s]", "what it must not know": r"must not know",
                "entry file": r"entry", "example": r"example"}


def readme_of(tree, module):
    """A protocol's codec and session may share the protocol's page."""
    own = module / "README.md"
    if in_folders(module, "src/protocols") and not (tree.root / own).exists():
        return module.parent / "README.md"
    return own


def check_readme(tree, page):
    if not (tree.root / page).exists():
        yield "the module has no README.md"
        return
    for part, pattern in README_PARTS.items():
        if not re.search(pattern, tree.text(page), re.I):
            yield f"says nothing about: {part}"


FILE_RULES = {
    "spdx": spdx, "file-length": file_length, "function-length": function_length,
    "columns": columns, "marks": marks, "machine-path": machine_paths, "names": names,
    "pragma-once": pragma_once, "purity": purity,
}


def violations(root):
    """All broken rules as (path, line, rule, message), in order."""
    tree = Tree(root)
    if not tree.paths:
        yield Path("."), 1, "tree", "there are no files"
    for path in tree.paths:
        text = tree.text(path)
        for rule, check in FILE_RULES.items():
            for line, message in check(path, text):
                yield path, line, rule, message
        for line, message in check_includes(tree, path, text):
            yield path, line, "private-include", message
    pages = {readme_of(tree, module) for module in tree.modules if in_folders(module, "src")}
    for page in sorted(pages):
        for message in check_readme(tree, page):
            yield page, 1, "module-readme", message


def main():
    found = list(violations(sys.argv[1] if len(sys.argv) > 1 else "."))
    for path, line, rule, message in found:
        print(f"{path}:{line}: {rule}: {message}")
    print(f"house rules: {len(found)} broken" if found else "house rules: kept")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
