"""Reads a script without running it: whether it compiles, and what it would call at which line.

The script comes by standard input, the answer goes to standard output as JSON. Started as a process of its own, because
there are texts on which Python's own compiler runs out of stack.
"""

import ast
import json
import resource
import sys

MOST = 1000  # calls that are listed
LONGEST = 200  # characters of one


def name(node):
    try:
        return ast.unparse(node)[:LONGEST]
    except Exception:
        return "…"


def main():
    memory, seconds = map(int, sys.argv[1:3])
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    code = sys.stdin.buffer.read().decode()
    try:
        compile(code, "<script>", "exec", dont_inherit=True)
        tree = ast.parse(code)
    except (SyntaxError, ValueError) as mistake:
        line = getattr(mistake, "lineno", None)
        text = f"{type(mistake).__name__}: {getattr(mistake, 'msg', mistake)}"
        return {"mistake": text[:1000], "line": line}
    found = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    found.sort(key=lambda node: (node.lineno, node.col_offset))
    calls = [{"line": node.lineno, "call": name(node)} for node in found[:MOST]]
    return {"calls": calls, "left_out": len(found) - len(calls)}


print(json.dumps(main()))
