"""Greeting, login, and what a connection that breaks the rules is told."""

from .wire import Missing


def credentials(login, password):
    return {'login': login, 'passwd': password, 'display': ''}


def log_in(client, login, password):
    reply = client.ask('authenticate', credentials(login, password))
    if reply is None or reply.kind != 'value':
        raise Missing(f'{login} was not let in: {reply.value if reply else "closed"}')
    return reply


def greeting(stage):
    admin = stage.admin
    stage.archive.reply('banner', None, None, [admin.banner])
    password = admin.encrypted('admin')
    given = (credentials('admin', password),)
    stage.archive.reply('authenticate', 'authenticate', given, [log_in(admin, 'admin', password)])


def refusals(stage):
    fresh = stage.connect
    stage.refused('authenticate-wrong-password', 'Invalid username or password!',
                  credentials('admin', 'wrong'), client=fresh())
    stage.refused('authenticate-without-name', 'No username, please identify yourself!',
                  credentials(' ', 'admin'), client=fresh())
    stage.refused('authenticate-without-arguments', 'invalid credentials', client=fresh())
    stage.refused('getversion-before-login', 'invalid credentials', client=fresh())


def closed(stage):
    """Where the daemon closes the connection, with or without a word."""
    client = stage.connect()
    log_in(client, 'guest', 'any')
    given = (credentials('guest', 'any'),)
    client.send('authenticate', given)
    if client.read() is not None:
        raise Missing('a second login was answered')
    stage.archive.reply('authenticate-again', 'authenticate', given, [])
    for name, code in (('garbled-arguments', 0x41), ('garbled-command', 0x99)):
        client = stage.connect()
        log_in(client, 'guest', 'any')
        client.send_raw(code, b'garbage')
        reply = client.read()
        if reply is None or reply.kind != 'refused' or client.read() is not None:
            raise Missing(f'{name} was not refused')
        stage.archive.reply(name, None, None, [reply])


def farewell(stage):
    stage.done('quit')
    if stage.admin.read() is not None:
        raise Missing('the connection was still open after quit')


SCENES = [refusals, closed]
