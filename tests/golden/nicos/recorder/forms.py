"""Python values as JSON, in the forms that the gateway promises.

They are made from real objects of the real classes, as Python's own unpickler builds them, and know nothing of pickles:
what the gateway's decoder makes of the same bytes can be held against them.
"""

import base64
import copyreg
import datetime
import io
import math
import pickle
import re
import time
import types
import uuid
from collections import Counter, OrderedDict, defaultdict, deque

import numpy as np
from nicos.utils import readonlydict, readonlylist

LISTS = (tuple, list, set, frozenset, deque, readonlylist)
DICTS = (dict, OrderedDict, defaultdict, Counter, readonlydict)
SURROGATE = re.compile('[\ud800-\udfff]')


class Ordered(tuple):
    """A set in the order in which it was sent, which is lost in a real one."""


class Unpickler(pickle.Unpickler):
    def find_class(self, module, name):
        found = super().find_class(module, name)
        return Ordered if found in (set, frozenset) else found


def load(payload):
    return Unpickler(io.BytesIO(payload), encoding='latin1').load()


def text(value):
    return SURROGATE.sub('\ufffd', value)


def name(cls):
    return f'{cls.__module__}.{cls.__qualname__}'


def form(value):
    """The value as `json` can write it."""
    cls = type(value)
    if value is None or cls is bool:
        return value
    if cls is str:
        return text(value)
    if cls is int:
        return value if -2**63 <= value < 2**64 else {'$int': str(value)}
    if cls is float:
        return value if math.isfinite(value) else {'$float': str(value)}
    if cls in (bytes, bytearray):
        return {'$bytes': base64.b64encode(value).decode()}
    if cls in LISTS or cls is Ordered:
        return [form(item) for item in value]
    if cls in DICTS:
        return mapping(value)
    if isinstance(value, (type, types.FunctionType, types.BuiltinFunctionType)):
        return {'$global': name(value)}
    if value is Ellipsis:
        return {'$global': 'builtins.Ellipsis'}
    if isinstance(value, (np.generic, np.ndarray)):
        return numbers(value)
    return moment(value) or instance(value)


def mapping(value):
    if plain(value):
        return {text(key): form(item) for key, item in value.items()}
    return {'$dict': pairs(value.items())}


def plain(value):
    return all(type(key) is str and not key.startswith('$') for key in value)


def pairs(items):
    return [[form(key), form(item)] for key, item in items]


def numbers(value):
    """NumPy's scalars and arrays."""
    if value.dtype.kind == 'O' and value.ndim == 1:
        return form(value.tolist())
    if value.dtype.kind not in 'biuf':
        return {'$class': 'numpy.ndarray', 'dtype': value.dtype.str, 'shape': list(value.shape),
                'data': form(value.tobytes())}
    if value.size == 0:
        return []
    if value.dtype == np.float32:
        # With the digits that 32 bits deserve.
        value = value.astype(str).astype(float)
    return form(value.tolist())


def moment(value):
    """The standard library's times and identifiers; `None` for anything else."""
    cls = type(value)
    if cls in (datetime.datetime, datetime.date, datetime.time):
        return {'$class': name(cls), 'iso': value.isoformat()}
    if cls is uuid.UUID:
        return {'$class': 'uuid.UUID', 'hex': str(value)}
    if cls is time.struct_time:
        fields = [field for field in dir(value) if field.startswith('tm_')]
        return {'$class': 'time.struct_time'} | {field: getattr(value, field) for field in fields}
    return None


def instance(value):
    """Any other object, as the parts that its class takes itself apart into."""
    callee, args, state, items, entries = (*value.__reduce_ex__(2), None, None, None)[:5]
    if callee is copyreg.__newobj__:
        callee, *args = args
    shown = {'$class': name(callee)}
    if args:
        shown['$args'] = [form(arg) for arg in args]
    if items := list(items or ()):
        shown['$items'] = [form(item) for item in items]
    if entries := list(entries or ()):
        shown['$entries'] = pairs(entries)
    return shown | state_fields(state)


def state_fields(state):
    # A class with __slots__ has the state (dict or None, slots).
    parts = state if type(state) is tuple and len(state) == 2 else (state,)
    if all(part is None or type(part) is dict and plain(part) for part in parts):
        return {text(key): form(item) for part in parts if part for key, item in part.items()}
    return {'$state': form(state)}
