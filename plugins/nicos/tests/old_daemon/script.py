"""The queue, and the thread that runs scripts: each line is a block with one of a few words."""

import threading
import time
import uuid

from pickles import User

IDLE_FAILED, IDLE, RUNNING, PAUSED, STOPPING = -2, -1, 0, 1, 2


class Stopped(Exception):
    pass


class Request:
    def __init__(self, name, script, user):
        self.reqid, self.name, self.script, self.user = str(uuid.uuid1()), name, script, user

    def shown(self, protocol):
        user = self.user if protocol <= 17 else self.user.name
        return {'reqid': self.reqid, 'name': self.name or None, 'script': self.script, 'user': user}


class Controller:
    def __init__(self, protocol, emit):
        self.protocol, self.emit = protocol, emit
        self.queue, self.messages = [], []
        self.status = (IDLE, -1)
        self.current_script = Request('', '', User('system', 20))
        self.wake = threading.Condition()
        self.held = self.stopping = False
        threading.Thread(target=self.run, daemon=True).start()

    # ---- what clients ask for

    def add(self, request):
        with self.wake:
            self.queue.append(request)
            self.emit('request', request.shown(self.protocol))
            self.wake.notify_all()
        return request.reqid

    def is_idle(self):
        return self.status[0] < RUNNING

    def hold(self):
        self.held = True

    def go_on(self):
        with self.wake:
            self.held = False
            self.wake.notify_all()

    def stop(self):
        with self.wake:
            self.emit('blocked', [request.reqid for request in self.queue])
            self.queue.clear()
            if not self.is_idle():
                self.stopping = True
                self.state(STOPPING, self.status[1])
            self.wake.notify_all()

    # ---- the script's thread

    def run(self):
        while True:
            with self.wake:
                self.wake.wait_for(lambda: self.queue)
                request = self.current_script = self.queue.pop(0)
            self.held = self.stopping = False
            self.emit('processing', request.shown(self.protocol))
            success = self.execute(request)
            if self.protocol >= 22:
                self.emit('done', dict(request.shown(self.protocol), success=success))

    def execute(self, request):
        blocks = request.script.splitlines()
        if 'no python' in blocks:
            # A syntax error changes no status.
            self.message(40, 'SyntaxError')
            return False
        try:
            for line, block in enumerate(blocks, 1):
                self.state(RUNNING, -1)
                self.state(RUNNING, line)
                self.block(block)
                self.state(IDLE, line)
                self.state(IDLE, -1)
        except Exception as error:
            self.message(40, repr(error))
            self.state(IDLE_FAILED, self.status[1])
            self.state(IDLE_FAILED, -1)
            return False
        return True

    def block(self, block):
        word, _, rest = block.partition(' ')
        getattr(self, 'do_' + word)(rest)
        self.breakpoint()

    def breakpoint(self):
        with self.wake:
            if self.held and not self.stopping:
                before = self.status
                self.state(PAUSED, before[1])
                self.wake.wait_for(lambda: self.stopping or not self.held)
                if not self.stopping:
                    self.state(*before)
            if self.stopping:
                raise Stopped

    def state(self, state, line):
        self.status = (state, line)
        self.emit('status', self.status)

    def message(self, level, text):
        message = ['nicos', time.time(), level, text + '\n', None, self.current_script.reqid]
        self.messages.append(message)
        self.emit('message', message)

    # ---- what a block can be

    def do_say(self, text):
        self.message(20, text)

    def do_sleep(self, seconds):
        end = time.time() + float(seconds)
        while time.time() < end:
            time.sleep(0.01)
            self.breakpoint()

    def do_fail(self, text):
        raise ZeroDivisionError(text)

    def do_ask(self, text):
        self.held = True
        self.emit('prompt', (text,) if self.protocol <= 23 else (text, uuid.uuid1().hex))

    def do_show(self, pixels):
        if self.protocol <= 19:
            self.emit('liveparams', ('live', uuid.uuid4(), 'det', '', '<u4', 2, 1, 1, 0.5))
            self.message(20, 'something in between')
            self.emit('livedata', pixels.encode())
        else:
            desc = {'dtype': '<u4', 'shape': (1, 2), 'labels': {}, 'plotcount': 1}
            shown = {'uid': uuid.uuid4(), 'time': 0.5, 'det': 'det', 'tag': 'live', 'datadescs': [desc]}
            self.emit('livedata', shown, [pixels.encode()])
