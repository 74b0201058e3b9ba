"""Reads Python expressions, one a line, and writes their pickles in protocols 0 to 5 as base64, one a line."""

import base64
import collections
import datetime
import decimal
import pickle
import sys
import time
import uuid


class Point(collections.namedtuple("Point", "x y")):
    pass


class Plain:
    def __init__(self, **state):
        self.__dict__.update(state)


class Slotted:
    __slots__ = ("a", "b")

    def __init__(self, a, b):
        self.a, self.b = a, b


class Listed(list):
    pass


class Mapped(dict):
    pass


class Outer:
    class Inner:
        pass


class readonlylist(list):
    def append(self, _):
        raise TypeError

    def __getnewargs__(self):
        return (list(iter(self)),)

    def __reduce__(self):
        return list.__reduce__(self)


readonlylist.__module__ = "nicos.utils"
nicos, utils = type(sys)("nicos"), type(sys)("nicos.utils")
nicos.utils, utils.readonlylist = utils, readonlylist
sys.modules.update({"nicos": nicos, "nicos.utils": utils})

shared = {"k": "v"}
for line in sys.stdin:
    value = eval(line)
    for protocol in range(6):
        # Python's own pickler refuses slots below protocol 2, and says so by raising.
        try:
            payload = pickle.dumps(value, protocol)
        except TypeError:
            payload = b""
        print(base64.b64encode(payload).decode())
