"""How daemons of different ages pickle what they say."""

import collections
import io
import pickle
import struct
import sys
import types

# The first protocol of the daemons that are taken for Python 3 here; before, both were in use.
PYTHON_3 = 20

User = collections.namedtuple('User', 'name level')
User.__module__ = 'nicos.core.utils'
for name in ('nicos', 'nicos.core', 'nicos.core.utils'):
    sys.modules[name] = types.ModuleType(name)
sys.modules['nicos.core.utils'].User = User


class Python2(pickle._Pickler):
    """Writes text and bytes as Python 2 wrote its `str`."""

    dispatch = dict(pickle._Pickler.dispatch)

    def save_string(self, value):
        data = value.encode() if isinstance(value, str) else value
        if len(data) < 256:
            self.write(pickle.SHORT_BINSTRING + bytes([len(data)]) + data)
        else:
            self.write(pickle.BINSTRING + struct.pack('<i', len(data)) + data)
        self.memoize(value)

    dispatch[str] = dispatch[bytes] = save_string


def dump(protocol, value):
    """`value` as a daemon of that protocol sends it."""
    out = io.BytesIO()
    pickler = Python2 if protocol < PYTHON_3 else pickle.Pickler
    pickler(out, 2).dump(value)
    return out.getvalue()
