"""The daemon's frames: two connections, commands and replies on the one, events on the other."""

import os
import pickle
import socket
import struct
import threading
import time
from base64 import b64decode, b64encode

import rsa

from . import forms

ENQ, ACK, STX, NAK = b'\x05', b'\x06', b'\x03', b'\x15'

COMMANDS = {
    'start': 0x01, 'simulate': 0x02, 'queue': 0x03, 'unqueue': 0x04, 'update': 0x05,
    'break': 0x11, 'continue': 0x12, 'stop': 0x13, 'emergency': 0x14, 'finish': 0x15,
    'exec': 0x21, 'eval': 0x22, 'watch': 0x31, 'unwatch': 0x32,
    'getversion': 0x41, 'getstatus': 0x42, 'getmessages': 0x43, 'getscript': 0x44,
    'gethistory': 0x45, 'getcachekeys': 0x46, 'gettrace': 0x47, 'getdataset': 0x48,
    'complete': 0x51, 'transfer': 0x52, 'debug': 0x53, 'debuginput': 0x54,
    'eventmask': 0x61, 'unlock': 0x62, 'quit': 0x63, 'authenticate': 0x64,
    'eventunmask': 0x65, 'rearrange': 0x66, 'keepalive': 0x67,
}

EVENTS = {
    0x1001: 'message', 0x1002: 'request', 0x1003: 'processing', 0x1004: 'blocked',
    0x1005: 'status', 0x1006: 'watch', 0x1007: 'mode', 0x1008: 'cache', 0x1009: 'dataset',
    0x100a: 'datapoint', 0x100b: 'datacurve', 0x100d: 'livedata', 0x100e: 'simresult',
    0x100f: 'showhelp', 0x1010: 'clientexec', 0x1011: 'watchdog', 0x1012: 'debugging',
    0x1013: 'plugplay', 0x1014: 'setup', 0x1015: 'device', 0x1016: 'experiment',
    0x1017: 'prompt', 0x1018: 'updated', 0x1019: 'rearranged', 0x101a: 'eta',
    0x101b: 'simmessage', 0x101c: 'done', 0x101d: 'promptdone',
}

# Seconds: for one reply, and for an event that something just done must cause.
REPLY_LIMIT = 60
EVENT_LIMIT = 30


class Missing(Exception):
    """Something that the daemon should have said did not come."""


class Reply:
    """A reply as it came; `kind` is 'acknowledged', 'value' or 'refused'."""

    def __init__(self, kind, payload=None):
        self.kind = kind
        self.payload = payload

    @property
    def value(self):
        return None if self.payload is None else forms.load(self.payload)


class Event:
    """An event as it came."""

    def __init__(self, code, payload, blobs):
        self.code = code
        self.name = EVENTS.get(code, hex(code))
        self.payload = payload
        self.blobs = blobs

    @property
    def value(self):
        return forms.load(self.payload)


class Client:
    """One login. `banner` is the daemon's greeting; events are kept from `listen` on."""

    def __init__(self, address):
        self.address = address
        self.id = os.urandom(16)
        self.socket = self._connect()
        self.banner = self.read()
        self.events = []
        self.arrived = threading.Condition()

    def _connect(self):
        connection = socket.create_connection(self.address, REPLY_LIMIT)
        # All 16 bytes at once: the daemon reads them with one call.
        connection.sendall(self.id)
        return connection

    # -- commands

    def send(self, command, args):
        self.send_raw(COMMANDS[command], pickle.dumps(args, 3))

    def send_raw(self, code, payload):
        self.socket.sendall(ENQ + struct.pack('>HI', code, len(payload)) + payload)

    def read(self):
        """The next reply; `None` when the daemon has closed the connection."""
        kind = self.socket.recv(1)
        if not kind:
            return None
        if kind == ACK:
            return Reply('acknowledged')
        if kind not in (STX, NAK):
            raise Missing(f'a reply begins with {kind!r}')
        payload = exactly(self.socket, *struct.unpack('>I', exactly(self.socket, 4)))
        return Reply('value' if kind == STX else 'refused', payload)

    def ask(self, command, *args):
        self.send(command, args)
        return self.read()

    def encrypted(self, password):
        """`password` under the key that the greeting brought."""
        key = rsa.PublicKey.load_pkcs1(b64decode(self.banner.value['rsakey']))
        return 'RSA:' + b64encode(rsa.encrypt(password.encode(), key)).decode()

    # -- events

    def listen(self):
        events = self._connect()
        events.settimeout(None)
        threading.Thread(target=self._read_events, args=(events,), daemon=True).start()
        # The daemon's accept loop does not survive a client that goes away right after this.
        time.sleep(1)

    def _read_events(self, events):
        try:
            while True:
                _, code, blobs, length = struct.unpack('>cHBI', exactly(events, 8))
                payload = exactly(events, length)
                sizes = (struct.unpack('>I', exactly(events, 4))[0] for _ in range(blobs))
                event = Event(code, payload, [exactly(events, size) for size in sizes])
                with self.arrived:
                    self.events.append(event)
                    self.arrived.notify_all()
        except (Missing, OSError):
            return

    def wait(self, name, fits=lambda value: True, since=0, limit=EVENT_LIMIT):
        """The first event of this name, from number `since` on, whose value fits."""
        end = time.monotonic() + limit
        while True:
            with self.arrived:
                if since >= len(self.events):
                    left = end - time.monotonic()
                    if left <= 0 or not self.arrived.wait(left):
                        raise Missing(f'no fitting {name} event came')
                    continue
                event = self.events[since]
            since += 1
            if event.name == name and fits(event.value):
                return event


def exactly(connection, length):
    parts = []
    while length:
        part = connection.recv(length)
        if not part:
            raise Missing('the daemon closed the connection')
        parts.append(part)
        length -= len(part)
    return b''.join(parts)
