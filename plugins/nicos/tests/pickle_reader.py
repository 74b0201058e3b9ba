"""Says what Python makes of our pickles and literals. A line is `loads` or `eval` and base64; the answer is one line.

Types are told apart (True is not 1), floats are their bits, except that every nan is `nan`.
"""

import ast
import base64
import pickle
import struct
import sys


def describe(value):
    kind = type(value)
    if kind is float:
        return "nan" if value != value else "f" + struct.pack(">d", value).hex()
    if kind is str:
        return "s" + value.encode("utf-8").hex()
    if kind is bytes:
        return "b" + value.hex()
    if kind is list:
        return "[" + ",".join(map(describe, value)) + "]"
    if kind is tuple:
        return "(" + ",".join(map(describe, value)) + ")"
    if kind is dict:
        return "{" + ",".join(describe(key) + ":" + describe(item) for key, item in value.items()) + "}"
    if kind is int:
        return "i" + str(value)
    assert value is None or kind is bool, kind
    return str(value)


def evaluated(source):
    # Nothing to name: a literal must not need any.
    said = describe(eval(source, {"__builtins__": {}}))
    if "nan" not in said:
        assert describe(ast.literal_eval(source)) == said
    return said


for line in sys.stdin:
    what, payload = line.split(" ")
    payload = base64.b64decode(payload)
    if what == "loads":
        said = {describe(pickle.loads(payload)), describe(pickle._loads(payload))}
    else:
        said = {evaluated(payload.decode("ascii"))}
    print(" or ".join(said), flush=True)
