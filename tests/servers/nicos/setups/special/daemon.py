# The daemon itself: its address and who may log in.
import hashlib
import os

description = 'script server on loopback'
group = 'special'


def sha1(password):
    return hashlib.sha1(password.encode()).hexdigest()


devices = dict(
    Auth = device('nicos.services.daemon.auth.list.Authenticator',
        hashing = 'sha1',
        # (login, hash of the password, level); an empty hash accepts any password
        passwd = [
            ('guest', '', 'guest'),
            ('user', sha1('user'), 'user'),
            ('admin', sha1('admin'), 'admin'),
        ],
    ),
    Daemon = device('nicos.services.daemon.NicosDaemon',
        server = '127.0.0.1:' + os.environ['PATCHBAY_NICOS_PORT'],
        servercls = 'nicos.services.daemon.proto.classic.Server',
        serializercls = 'nicos.protocols.daemon.classic.ClassicSerializer',
        authenticators = ['Auth'],
        loglevel = 'info',
    ),
)
