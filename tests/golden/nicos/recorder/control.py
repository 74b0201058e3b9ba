"""Scripts: queued, run, paused, changed, ended; and what is refused when."""

import time

LOOP = 'for i in range(1000):\n    sleep(0.1)\n'
SLOW_END = 'from threading import Event\ntry:\n    sleep(60)\nfinally:\n    _ = Event().wait(4)\n'
BREAK_NEXT_LINE, BREAK_NOW = 1, 3


def idle(stage):
    none = 'no script is running'
    stage.refused('update-idle', none, 'pass\n', '')
    stage.refused('break-idle', none, BREAK_NEXT_LINE)
    stage.refused('continue-idle', none)
    stage.refused('stop-idle', none, BREAK_NOW)
    stage.refused('finish-idle', none)
    stage.refused('debuginput-idle', none, 'q')
    stage.refused('debug-without-code', 'no piece of code to debug given', '')
    stage.refused('unqueue-unknown', 'script already executing', 'no-such-id')
    # Scripts that have begun meanwhile may still be in a client's list; the daemon cannot tell them from others.
    stage.done('rearrange-unknown', ['a', 'b'])


def scripts(stage):
    """Scripts that end by themselves."""
    mark = stage.mark()
    job = stage.value('queue', 'hello.py', 'print("hello")\nsleep(0.1)\n')
    stage.ended(job)
    stage.event('request', lambda value: value['reqid'] == job)
    stage.event('processing', lambda value: value['reqid'] == job)
    stage.event('eta', since=mark)
    stage.event('status-running', lambda value: value[0] == 0 and value[1] > 0, mark)
    stage.event('status-idle', lambda value: value == (-1, -1), mark)
    stage.event('message', lambda value: value[3] == 'hello\n' and value[2] == 20, mark)
    stage.event('done', lambda value: value['reqid'] == job)
    job = stage.value('start', '', '6 * 7')
    stage.ended(job)
    stage.event('request-without-name', lambda value: value['reqid'] == job)
    ways = {'raising': 'print(1)\n1 / 0\n', 'syntax': 'print(\n', 'warning': 'printwarning("careful")'}
    for name, script in ways.items():
        mark = stage.mark()
        job = stage.run(script, name + '.py')
        stage.event('done-' + name, lambda value: value['reqid'] == job)
        stage.event('message-' + name, lambda value: value[2] >= 30, mark)
        stage.value('getstatus-after-' + name)


def pausing(stage):
    mark = stage.mark()
    stage.begin(LOOP, 'loop.py')
    stage.refused('start-running', 'a script is running', '', 'pass')
    stage.refused('continue-running', 'script is not paused')
    stage.refused('debug-running-with-code', 'code to debug given, but a script is already running', 'pass')
    stage.value('getstatus-running')
    stage.value('gettrace-running')
    stage.value('getscript-running')
    stage.done('break', BREAK_NEXT_LINE)
    stage.event('status-paused', lambda value: value[0] == 1, mark)
    stage.refused('break-paused', 'script is already paused', BREAK_NEXT_LINE)
    stage.value('getstatus-paused')
    mark = stage.mark()
    stage.done('continue')
    # Until it runs again, a stop would take the place of the continue or be lost with it.
    stage.wait('status', lambda value: value[0] == 0, mark)
    stage.done('stop', BREAK_NOW)
    stage.event('done-stopped', since=mark)
    stage.event('status-stopped', lambda value: value[0] == -2, mark)
    stage.event('blocked-nothing', lambda value: value == [], mark)


def control(stage):
    """An administrator's script is not a guest's to touch, until the administrator lets go."""
    stage.begin(LOOP)
    held = 'you do not have control of the session'
    for name, args in (('break', (1,)), ('continue', ()), ('stop', (1,)), ('finish', ()), ('update', (LOOP, '')),
                       ('exec', ('pass',)), ('watch', ([],)), ('unwatch', ([],)), ('debug', ('',)),
                       ('debuginput', ('q',)), ('unlock', ())):
        stage.refused(f'{name}-without-control', held, *args, client=stage.guest)
    stage.done('unlock')
    stage.done('break-after-unlock', 1, client=stage.guest)
    stage.settle()


def queue(stage):
    """A queue behind a script that runs."""
    stage.begin(LOOP, 'first.py')
    jobs = [stage.queue(f'print({number})\n', f'{number}.py') for number in range(3)]
    stage.value('getstatus-queue')
    mark = stage.mark()
    stage.done('rearrange', jobs[::-1])
    stage.event('rearranged', lambda value: value == jobs[::-1], mark)
    stage.refused('rearrange-wrong', 'Inconsistency between clients script IDs and queued IDs', ['x', *jobs, 'y'])
    stage.done('update-queued', 'print("changed")\n', 'why', jobs[0])
    stage.event('updated', lambda value: value['reqid'] == jobs[0], mark)
    stage.refused('update-unknown', "script doesn't exist", 'pass\n', '', 'no-such-id')
    stage.done('unqueue', jobs[1])
    stage.event('blocked', lambda value: value == [jobs[1]], mark)
    stage.refused('unqueue-running', 'script already executing', stage.say('getmessages', 1)[0][5])
    mark = stage.mark()
    stage.done('unqueue-all', '*')
    stage.event('blocked-all', lambda value: len(value) == 2, mark)
    stage.settle()


def updating(stage):
    script = 'sleep(0.1)\n' + LOOP
    stage.begin(script)
    time.sleep(1)
    mark = stage.mark()
    stage.done('update', script + 'print("more")\n', 'a reason')
    stage.event('processing-updated', lambda value: 'more' in value['script'], mark)
    stage.refused('update-differs', 'new script differs in already executed part of the code',
                  'sleep(0.2)\n' + LOOP, '')
    stage.refused('update-too-short', 'new script too short', 'sleep(0.1)\n', '')
    stage.settle()
    stage.begin('sleep(30)')
    stage.refused('update-single-line', 'cannot update single-line script', 'pass\n', '')
    stage.settle()


def stopping(stage):
    """A script that takes its time to end."""
    stage.begin(SLOW_END)
    time.sleep(1)
    mark = stage.mark()
    stage.say('stop', BREAK_NOW)
    stage.event('status-stopping', lambda value: value[0] == 2, mark)
    stage.twice('finish-stopping', kinds=['refused', 'acknowledged'])
    stage.refused('break-stopping', 'script is already stopping', BREAK_NEXT_LINE)
    stage.refused('continue-stopping', 'could not continue script')
    stage.refused('exec-stopping', 'script is stopping', 'pass')
    stage.done('stop-stopping', BREAK_NOW)
    stage.value('getstatus-stopping')
    stage.settle()


def emergency(stage):
    mark = stage.mark()
    stage.done('emergency-idle')
    stage.event('request-emergency', lambda value: 'script' not in value, mark)
    stage.begin(LOOP)
    mark = stage.mark()
    stage.done('emergency', client=stage.guest)
    stage.event('done-emergency', since=mark)
    stage.settle()


def debugging(stage):
    mark = stage.mark()
    stage.done('debug', 'a = 1\nb = 2\n')
    stage.event('debugging', since=mark)
    stage.wait('message', lambda value: 'debugging session started' in value[3], mark)
    stage.done('debuginput', 'n')
    stage.done('debuginput-quit', 'q')
    stage.event('debugging-ended', lambda value: value is False, mark)
    stage.settle()
    stage.begin(LOOP)
    mark = stage.mark()
    stage.done('debug-running', '')
    stage.wait('message', lambda value: 'debugging session started' in value[3], mark)
    # After 'q' nothing could stop the script any more.
    stage.say('debuginput', 'c')
    stage.wait('debugging', lambda value: value is False, mark)
    stage.settle()


SCENES = [idle, scripts, pausing, control, queue, updating, stopping, emergency, debugging]
