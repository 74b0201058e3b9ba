"""Measurements, dry runs, questions to the user, setups, and the rare events."""

import uuid

PROMPTS = {
    'text': '"How?", str',
    'int': '"How many?", int, 3',
    'oneof': '"Which?", oneof("measure", "calibrate"), "measure"',
    'floatrange': '"How far?", floatrange(0, 2.5)',
    'intrange': '"How often?", intrange(1, 3), 2',
    'listof': '"Where?", listof(float), [1.0]',
    'oneofdict': '"Which number?", oneofdict({1: "one", 2: "two"})',
    'none-or': '"Any?", none_or(floatrange(-1)), None',
    'tupleof': '"Both?", tupleof(int, str)',
    'dictof': '"All?", dictof(str, nonemptystring)',
}
VALIDATORS = '''from nicos.core.params import dictof, floatrange, intrange, listof, none_or, nonemptystring, \\
    oneof, oneofdict, tupleof
'''


def before(stage):
    stage.value('getdataset-no-scans', '*')
    stage.done('getdataset-missing', 0)


def scan(stage):
    mark = stage.mark()
    # Long enough for live images, which come every half a second.
    stage.run('SetDetectors(det)\nscan(mot, 0, 1, 3, t=1.2)\n', 'scan.py')
    stage.event('dataset', since=mark)
    stage.event('datapoint', since=mark)
    stage.event('livedata-live', lambda value: value['tag'] == 'live', mark)
    stage.event('livedata-file', lambda value: value['tag'] == 'file', mark)
    stage.event('message-action', lambda value: value[2] == 21, mark)
    stage.value('getdataset', -1)
    stage.value('getdataset-all', '*')
    stage.refused('getdataset-no-number', 'exception occurred executing command', 'x')


def labelled(stage):
    """Live data with axes of their own: their buffers follow those of the data."""
    mark = stage.mark()
    stage.say('exec', LABELLED)
    stage.event('livedata-labels', lambda value: value['det'] == 'labelled', mark)


LABELLED = '''
import numpy as np
from nicos import session
session.updateLiveData(
    dict(uid=None, time=1.5, det='labelled', tag='live', datadescs=[
        dict(dtype='<u2', shape=(3, 2), plotcount=1,
             labels={'x': {'define': 'classic', 'title': 'columns'},
                     'y': {'define': 'array', 'title': 'y (mm)', 'dtype': '<f8', 'index': 0, 'length': 3}}),
        dict(dtype='<f8', shape=(4,), plotcount=1, labels={})]),
    [np.arange(6, dtype='<u2').tobytes(), np.linspace(0, 1, 4).tobytes()],
    [np.array([0.1, 0.2, 0.3]).tobytes()])
'''


def fit(stage):
    """A curve as a real fit makes it (arrays), and one of plain numbers."""
    mark = stage.mark()
    stage.run('poly(1)\n')
    stage.event('datacurve', since=mark)
    mark = stage.mark()
    stage.say('exec', 'from nicos import session; session.notifyFitCurve(None, "line", [0, 1], [0.5, 1.5])')
    stage.event('datacurve-numbers', since=mark)


def counting(stage):
    stage.begin('count(t=60)\n')
    mark = stage.mark()
    stage.wait('livedata', lambda value: value['tag'] == 'live', mark)
    stage.done('finish')
    stage.event('done-finished', since=mark)


def dry_run(stage):
    for name, script in (('', 'maw(mot, 3)\nscan(mot, 0, 1, 3, t=10)\n'), ('-failing', 'maw(mot, 1e6)\n')):
        own = str(uuid.uuid1())
        mark = stage.mark()
        stage.done('simulate' + name, 'dry.py', script, own)
        stage.event('simmessage' + name, lambda value: value[5] == own and (not name or value[2] >= 30), mark)
        stage.event('simresult' + name, lambda value: value[2] == own, mark)


def pause(stage):
    mark = stage.mark()
    stage.queue('pause("Please look.")\n')
    ask = stage.event('prompt', since=mark)
    stage.wait('status', lambda value: value[0] == 1, mark)
    stage.say('continue')
    stage.event('promptdone', lambda value: value == (ask[1],), mark)
    stage.settle()


def input(stage):
    for name, args in PROMPTS.items():
        mark = stage.mark()
        stage.queue(f'{VALIDATORS}answer = userinput({args})\n')
        _, ask, _, _ = stage.event('prompt-' + name, since=mark)
        stage.wait('status', lambda value: value[0] == 1, mark)
        stage.say('eval', f'session.setUserinput({ask!r}, 7)', False)
        stage.say('continue')
        stage.wait('promptdone', lambda value: value == (ask,), mark)
        stage.settle()
    stage.value('eval-after-input', 'answer', False)


def setups(stage):
    mark = stage.mark()
    stage.run('AddSetup("extra")\n')
    stage.event('setup', lambda value: 'extra' in value[1], mark)
    stage.event('device-created', lambda value: value[0] == 'create' and 'mot2' in value[1], mark)
    stage.event('device-failed', lambda value: value[0] == 'failed', mark)
    stage.value('getstatus-device-failed')
    mark = stage.mark()
    stage.run('NewSetup("instrument")\n')
    stage.event('setup-none', lambda value: list(map(list, value)) == [[], []], mark)
    stage.event('device-destroyed', lambda value: value[0] == 'destroy', mark)
    stage.run('SetMode("maintenance")\n')
    stage.event('mode', lambda value: value == 'maintenance', mark)
    stage.run('SetMode("master")\n')
    stage.event('mode-master', lambda value: value == 'master', mark)


def experiment(stage):
    mark = stage.mark()
    stage.run('NewExperiment(1234, "a title", user="A. Person")\n')
    stage.event('experiment', lambda value: value[0] == 'p1234', mark)


def help(stage):
    mark = stage.mark()
    stage.run('help(sleep)\n')
    stage.event('showhelp', since=mark)


# No command of this instrument causes these: NICOS's own functions for them are called instead.
CALLED = {
    'clientexec': 'clientExec(sleep, ({"a": 1}, [1.5]))',
    'watchdog': 'watchdogEvent("warning", 1000000000.5, "too warm", "id1")',
    'watchdog-resolved': 'watchdogEvent("resolved", 1000000001.5, "too warm", "id1")',
    'plugplay': 'pnpEvent("added", "extra", "a second setup")',
}


def called(stage):
    for name, call in CALLED.items():
        mark = stage.mark()
        stage.say('exec', f'from nicos import session; session.{call}')
        stage.event(name, since=mark)


SCENES = [scan, labelled, fit, counting, dry_run, pause, input, setups, experiment, help, called]
