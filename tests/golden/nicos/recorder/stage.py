"""What scenes have at hand: an administrator, a guest, and the archive."""

import time

from . import wire
from .wire import Client, Missing

IDLE = (-1, -2)
PAUSED = 1


class Stage:
    def __init__(self, address, archive, admin, guest):
        self.address = address
        self.archive = archive
        self.admin = admin
        self.guest = guest

    def connect(self):
        return Client(self.address)

    # -- replies: the first word of a recording's name is the command

    def value(self, name, *args, client=None):
        """Records an answer that is a value, and returns that."""
        return self._one(name, args, client, 'value').value

    def done(self, name, *args, client=None):
        """Records a bare acknowledgement."""
        self._one(name, args, client, 'acknowledged')

    def refused(self, name, text, *args, client=None):
        """Records a refusal that begins with `text`."""
        reply = self._one(name, args, client, 'refused')
        if not reply.value.startswith(text):
            raise Missing(f'{name} was refused with {reply.value!r}')

    def twice(self, name, *args, kinds):
        """Records both replies of a command that the daemon answers twice."""
        command = name.partition('-')[0]
        replies = [self.admin.ask(command, *args)]
        if replies[0].kind == kinds[0]:
            replies.append(self.admin.read())
        if [reply.kind for reply in replies] != kinds:
            raise Missing(f'{name} was answered with {replies[0].kind}: {replies[0].value!r}')
        self.archive.reply(name, command, args, replies)

    def _one(self, name, args, client, kind):
        command = name.partition('-')[0]
        reply = (client or self.admin).ask(command, *args)
        if reply is None or reply.kind != kind:
            said = f'{reply.kind}: {reply.value!r}' if reply else 'a closed connection'
            raise Missing(f'{name} was answered with {said}')
        self.archive.reply(name, command, args, [reply])
        return reply

    # -- events: the first word of a recording's name is the event

    def mark(self):
        """A number for `since`: later events only."""
        return len(self.admin.events)

    def event(self, name, fits=lambda value: True, since=0):
        """Records the first event that fits, and returns its value."""
        event = self.admin.wait(name.partition('-')[0], fits, since)
        self.archive.event(name, event)
        return event.value

    def wait(self, name, fits=lambda value: True, since=0):
        return self.admin.wait(name, fits, since).value

    # -- scripts

    def say(self, command, *args):
        """A command that is not recorded."""
        reply = self.admin.ask(command, *args)
        if reply is None or reply.kind == 'refused':
            raise Missing(f'{command} {args!r} was refused: {reply.value if reply else "closed"}')
        return reply.value

    def queue(self, script, name=''):
        return self.say('queue', name, script)

    def ended(self, job):
        return self.wait('done', lambda value: value['reqid'] == job)

    def run(self, script, name=''):
        """Runs a script to its end."""
        job = self.queue(script, name)
        self.ended(job)
        return job

    def begin(self, script, name=''):
        """Queues a script on the idle daemon and waits until it is at a line."""
        mark = self.mark()
        job = self.queue(script, name)
        self.wait('processing', lambda value: value['reqid'] == job, mark)
        self.wait('status', lambda value: value[0] == 0 and value[1] > 0, mark)
        return job

    def pause(self):
        mark = self.mark()
        self.say('break', 2)
        self.wait('status', lambda value: value[0] == PAUSED, mark)

    def settle(self):
        """Ends whatever runs, so that the next scene begins on an idle daemon."""
        end = time.monotonic() + wire.EVENT_LIMIT
        while self.say('getstatus')['status'][0] not in IDLE:
            if time.monotonic() > end:
                raise Missing('the daemon did not become idle')
            self.say('emergency')
            time.sleep(0.5)
