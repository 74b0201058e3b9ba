"""A daemon that speaks a given version of the protocol as NICOS did in its time: `daemon.py VERSION PW_HASHING`.

Prints its port. Everybody has the password `secret`. What differs between the versions: the event header (20), pictures
(20), users (18), the first setup list (18), names and failures in the status, `keepalive` (21), `done` (22), prompts
(24); Python 2 text, `None` as a value and line feeds in base64 before 20.
"""

import base64
import pickle
import socket
import struct
import sys
import threading

from login import Key, accepts
from pickles import User, dump
from script import Controller, Request

PROTOCOL, HASHING = int(sys.argv[1]), sys.argv[2]

RELEASES = {17: '2.12.1', 18: '3.0.90', 19: '3.1.3', 20: '3.7.90', 21: '3.8.2', 22: '3.9.1', 23: '3.10.4', 25: '4.0.0'}

EVENTS = {
    'message': 0x1001, 'request': 0x1002, 'processing': 0x1003, 'blocked': 0x1004, 'status': 0x1005,
    'liveparams': 0x100c, 'livedata': 0x100d, 'prompt': 0x1017, 'done': 0x101c, 'new': 0x1020,
}

STX, ACK, NAK = b'\x03', b'\x06', b'\x15'


class Refused(Exception):
    pass


class Client:
    """A login: its two connections."""

    def __init__(self):
        self.lock = threading.Lock()
        self.stream, self.waiting = None, []

    def open_events(self, stream):
        with self.lock:
            self.stream = stream
            for frame in self.waiting:
                stream.sendall(frame)

    def tell(self, frame):
        with self.lock:
            if self.stream is None:
                self.waiting.append(frame)
                return
            try:
                self.stream.sendall(frame)
            except OSError:
                pass


clients = {}


def emit(name, value, blobs=()):
    code = EVENTS[name]
    if PROTOCOL < 20:
        payload = value if name == 'livedata' else dump(PROTOCOL, value)
        frame = struct.pack('>BHI', 3, code, len(payload)) + payload
    else:
        payload = dump(PROTOCOL, value)
        frame = struct.pack('>BHBI', 3, code, len(blobs), len(payload)) + payload
        frame += b''.join(struct.pack('>I', len(blob)) + blob for blob in blobs)
    for client in list(clients.values()):
        client.tell(frame)


controller = Controller(PROTOCOL, emit)


class Session:
    """What expressions see. `logins` and `unknown` are for the tests: passwords as sent, commands not known."""

    class daemon_device:
        _controller = controller

    logins, unknown = [], []


def running():
    if controller.is_idle():
        raise Refused('no script is running')


def queue(user, name, code):
    reqid = controller.add(Request(name, code, user))
    if PROTOCOL > 24:
        emit('new', {'something': 'new'})
    return reqid


def stop(user, level):
    running()
    controller.stop()


def hold(user, level):
    running()
    controller.hold()


def go_on(user):
    running()
    controller.go_on()


def evaluate(user, expression, stringify):
    try:
        return eval(expression, {'session': Session})
    except Exception as error:
        return error


def status(user):
    script = controller.current_script
    value = {
        'status': controller.status, 'script': script.script, 'watch': {}, 'mode': 'master', 'eta': (0, 0),
        'requests': [request.shown(PROTOCOL) for request in controller.queue],
        'setups': ({'base'} if PROTOCOL <= 17 else ['base'], ['base']), 'devices': ['motor'],
    }
    if PROTOCOL >= 20:
        value['scriptname'] = script.name
    if PROTOCOL >= 21:
        value['devicefailures'] = {'broken': 'why'}
    return value


COMMANDS = {
    0x01: queue, 0x03: queue, 0x11: hold, 0x12: go_on, 0x13: stop,
    0x14: lambda user: controller.stop(),
    0x22: evaluate,
    0x41: lambda user: RELEASES[PROTOCOL],
    0x42: status,
    0x43: lambda user, n: controller.messages[-int(n):],
    0x61: lambda user, events: None,
}
if PROTOCOL >= 21:
    COMMANDS[0x67] = lambda user: None


class Handler:
    """A command connection."""

    def __init__(self, stream):
        self.stream = stream

    def read(self, length):
        data = self.stream.recv(length, socket.MSG_WAITALL)
        if len(data) < length:
            raise EOFError
        return data

    def reply(self, kind, value):
        payload = dump(PROTOCOL, value)
        self.stream.sendall(kind + struct.pack('>I', len(payload)) + payload)

    def command(self):
        start, code, length = struct.unpack('>BHI', self.read(7))
        assert start == 5
        return code, pickle.loads(self.read(length))

    def serve(self):
        try:
            user = self.login()
            while user is not None and self.answer(user):
                pass
        except (EOFError, OSError):
            pass
        finally:
            self.stream.close()

    def login(self):
        key = Key()
        encode = base64.encodebytes if PROTOCOL < 20 else base64.b64encode
        banner = {
            'daemon_version': RELEASES[PROTOCOL], 'custom_version': None, 'nicos_root': '/', 'custom_path': '/',
            'pw_hashing': HASHING, 'rsakey': encode(key.pem().encode()), 'protocol_version': PROTOCOL,
        }
        if PROTOCOL >= 20:
            banner['serializer'] = 'classic'
        self.reply(STX, banner)
        code, (credentials,) = self.command()
        wanted = {'login', 'passwd', 'display'} if PROTOCOL < 20 else {'login', 'passwd'}
        if code != 0x64 or not wanted <= set(credentials):
            return self.reply(NAK, 'invalid credentials')
        Session.logins.append(credentials['passwd'])
        if not accepts(HASHING, key, credentials['passwd'], 'secret'):
            text = 'credentials not accepted' if PROTOCOL < 21 else 'Invalid username or password!'
            return self.reply(NAK, text)
        self.reply(STX, {'user_level': 10})
        return User(credentials['login'], 10)

    def answer(self, user):
        code, args = self.command()
        if code == 0x63:
            self.none()
            return False
        if code not in COMMANDS:
            Session.unknown.append(code)
            self.reply(NAK, 'invalid command or garbled data')
            return False
        try:
            value = COMMANDS[code](user, *args)
        except Refused as refused:
            self.reply(NAK, str(refused))
        else:
            self.none() if value is None else self.reply(STX, value)
        return True

    def none(self):
        self.reply(STX, None) if PROTOCOL < 20 else self.stream.sendall(ACK)


def accept(stream):
    identity = stream.recv(16, socket.MSG_WAITALL)
    client = clients.get(identity)
    if client is None:
        clients[identity] = Client()
        Handler(stream).serve()
        del clients[identity]
    else:
        client.open_events(stream)


listener = socket.create_server(('127.0.0.1', 0))
print(listener.getsockname()[1], flush=True)
while True:
    threading.Thread(target=accept, args=listener.accept()[:1], daemon=True).start()
