"""Answers each line, a Python expression, with a line: its pickles as base64.

There are twelve, in protocols 0 to 5 by Python's pickler in C and then by the one in Python, and a `-` for each that it
refuses to write.
"""

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


Pair = collections.namedtuple("Pair", "a b")


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


class Loud(Exception):
    def __init__(self, text, level):
        super().__init__(text, level)
        self.level = level


def changed(value, change):
    change(value)
    return value


try:
    from nicos.core import errors, params
    from nicos.core.data import ScanData
    from nicos.utils import Device, readonlydict, readonlylist
except ImportError:
    # Without NICOS its lists are needed all the same.
    class readonlylist(list):
        def append(self, _):
            raise TypeError

        def __reduce__(self):
            return list.__reduce__(self)

    readonlylist.__module__ = "nicos.utils"
    nicos, utils = type(sys)("nicos"), type(sys)("nicos.utils")
    nicos.utils, utils.readonlylist = utils, readonlylist
    sys.modules.update({"nicos": nicos, "nicos.utils": utils})

shared = {"k": "v"}


def payload(pickler, value, protocol):
    # Below protocol 2 neither slots can be pickled nor a subclass of list that contains itself.
    try:
        return base64.b64encode(pickler(value, protocol)).decode()
    except (TypeError, RecursionError):
        return "-"


for line in sys.stdin:
    value = eval(line)
    payloads = [payload(pickler, value, protocol) for pickler in (pickle.dumps, pickle._dumps) for protocol in range(6)]
    print(*payloads, flush=True)
