# SPDX-License-Identifier: Apache-2.0
"""Where the functions of a C++ file begin and end, found by counting braces.

Not a parser: it takes comments and literals out, then looks at what stands before each brace. Knows
member initialisers and trailing return types; lambdas count as part of the function around them.
"""
import re

_LITERAL = re.compile(
    r"""(?P<comment>//(?:\\\n|[^\n])*|/\*.*?\*/)"""
    r"""|(?P<string>R"(?P<tag>[^()\\ \n]*)\(.*?\)(?P=tag)"|"(?:\\.|[^"\\\n])*"|"""
    r"""(?<![0-9A-Fa-f])'(?:\\.|[^'\\\n])+')""", re.S)
_TYPE = re.compile(r"^\s*(?:(?:template\s*<.*>|export|typedef|inline)\s*)*"
                   r"(?:namespace|class|struct|union|enum|extern\s*\"?)\b", re.S)
_CONTROL = re.compile(r"^\s*(?:if|for|while|switch|do|else|try|catch|return|case|default)\b")
_BODY_AFTER = re.compile(r"(?:\)|\b(?:const|noexcept|override|final|mutable|try)|[^&]&&?)\s*$")
_INITIALISERS = re.compile(r"\)\s*(?:noexcept\s*(?:\([^)]*\)\s*)?)?:(?!:)")
_NAME = re.compile(r"([~\w:]+|operator\s*[^\s(]+)\s*\(")


def strip_comments(text, keep_strings=False):
    """The text with comments, and unless told otherwise literals, blanked; lines stay in place."""

    def blank(match):
        found = match[0]
        if match["string"] is not None and keep_strings:
            return found
        newlines = "\n" * found.count("\n")
        return ('""' if match["string"] is not None else " ") + newlines

    return _LITERAL.sub(blank, text)


def _opens_function(head):
    if "(" not in head or _TYPE.match(head) or _CONTROL.match(head):
        return False
    if re.search(r"(?<![=!<>])=(?![=])\s*(?:\{|\[|$)", head) and "operator" not in head:
        return False  # a variable and its initialiser
    tail = head[head.rfind(")"):]
    return bool(_BODY_AFTER.search(head)) or "->" in tail or bool(re.search(r"\brequires\b", head))


def _closing(code, opening):
    depth = 0
    for match in re.compile(r"[{}]").finditer(code, opening):
        depth += 1 if match[0] == "{" else -1
        if depth == 0:
            return match.start()
    return len(code) - 1


def functions(text):
    """(first line, last line, name) of every function with a body."""
    code = re.sub(r"^[ \t]*#(?:\\\n|[^\n])*", lambda m: "\n" * m[0].count("\n"),
                  strip_comments(text), flags=re.M)
    found = []
    start = 0  # where the statement being read begins
    at = 0
    while at < len(code):
        letter = code[at]
        if letter in ";}":
            start = at + 1
        elif letter == "{":
            head = re.sub(r"^\s*(?:public|private|protected)\s*:", "", code[start:at])
            initialiser = _INITIALISERS.search(head) and re.search(r"[\w>]\s*$", head)
            if _opens_function(head) and not (initialiser and not _BODY_AFTER.search(head)):
                end = _closing(code, at)
                first = start + len(code[start:at]) - len(code[start:at].lstrip())
                name = _NAME.search(head)
                found.append((code.count("\n", 0, first) + 1, code.count("\n", 0, end) + 1,
                              name[1] if name else head.strip()[:40]))
                start = end + 1
                at = end
            elif initialiser or head.rstrip().endswith(("=", ",", "(")):
                at = _closing(code, at)  # braces of a value: the statement goes on
            else:
                start = at + 1
        at += 1
    return found
