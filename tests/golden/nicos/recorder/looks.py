"""What the daemon tells about itself, idle; and values of many kinds."""

import time

# What `eval` is asked, by name.
VALUES = {
    'none-inside': '[None]',
    'bools': '[True, False]',
    'ints': '[0, -1, 255, 256, 65535, 65536, -2**31, 2**31, 2**63 - 1, -2**63]',
    'big-ints': '[2**63, 2**64 - 1, 2**64, -2**63 - 1, 10**60, -10**60]',
    'long-int': '2**2040',
    'floats': '[0.0, 1.0, -0.5, 0.1, 1e300, 5e-324]',
    'not-finite': "[float('nan'), float('inf'), -float('inf')]",
    'text': r"'a\"b\\ \n \u00b5 \u20ac \U0001f600 \x00'",
    'text-not-utf8': r"'\udcb2 in the middle'",
    'bytes': "[b'', b'abc', bytes(range(256)), bytearray(b'\\xff\\x00')]",
    'tuples': '[(), (1,), (1, 2), (1, 2, 3), (1, 2, 3, 4)]',
    # `set` itself is a command of NICOS.
    'sets': "[type({1})(), {3, 1, 2}, {'b', 'a'}, frozenset(), frozenset(['x', ('y', 1)])]",
    'dicts': "[{}, {'a': 1, 'b': {'c': None}}, {1: 'a', (2, 3): 'b', None: 'c'}, {'$class': 1}]",
    'collections': "(lambda c: [c.OrderedDict(b=1, a=2), c.deque([1], 5), c.Counter('aab'), "
                   "c.defaultdict(list, {'a': [1]})])(__import__('collections'))",
    'shared': "(lambda one: [one, one, {'again': one}])(['shared', {'k': 'v'}])",
    'classes': "[int, float, str, bool, list, len, Ellipsis, session.__class__, "
               "__import__('nicos').utils.parseDateString]",
    'range': 'range(1, 10, 3)',
    'complex': '1 + 2j',
    'moments': "(lambda d: [d.datetime(2026, 11, 22, 10, 0, 5), "
               "d.datetime(2026, 11, 22, 10, 0, 5, 120, d.timezone(-d.timedelta(hours=3, minutes=30))), "
               "d.date(2000, 1, 2), d.time(3, 4), d.timedelta(1, 2, 3)])(__import__('datetime'))",
    'struct-time': "[__import__('time').gmtime(0), __import__('time').localtime()]",
    'uuid': "[__import__('uuid').UUID(int=1), __import__('uuid').UUID(int=2**127 + 1)]",
    'decimal': "__import__('decimal').Decimal('1.50')",
    'numpy-scalars': "(lambda np: [np.float64(1.5), np.float32(0.1), np.int32(-3), np.uint64(2**64 - 1), "
                     "np.bool_(True), np.float64('nan')])(__import__('numpy'))",
    'numpy-arrays': "(lambda np: [np.arange(6).reshape(2, 3), np.asfortranarray(np.arange(6).reshape(2, 3)), "
                    "np.array([1, -2], '>i2'), np.array([0.5, np.inf]), np.zeros((2, 0)), np.array(7), "
                    "np.array([0.1, 2.5], 'f4')])(__import__('numpy'))",
    'numpy-others': "(lambda np: [np.array(['ab', 'c']), np.array([1 + 2j]), np.array(['x', None, 3], object)])"
                    "(__import__('numpy'))",
    'readonly': "(lambda u: [u.readonlylist([1, u.readonlylist([2])]), u.readonlydict({'a': u.readonlydict()})])"
                "(__import__('nicos').utils)",
    'device': 'mot',
    'devices': "[mot, {'det': det, 'Exp': Exp}]",
    'device-status': 'mot.status()',
    'device-values': 'det.read()',
    'device-valueinfo': 'det.valueInfo()',
    'device-parameters': 'dict(mot.parameters)',
    'device-info': 'list(mot.info())',
    'setup-info': "session.getSetupInfo()['instrument']",
    'loaded-setups': '[session.loaded_setups, session.explicit_setups]',
    'exception-name': 'no_such_name',
    'exception-type': "len(1)",
    'exception-zero': '1 / 0',
    'exception-key': "{}[('a', 1)]",
    'exception-unicode': "b'\\xff'.decode()",
    'exception-os': "open('/no/such/file')",
    'exception-syntax': '1 +',
    'exception-limit': 'mot.maw(1e6)',
    'exception-usage': "session.getDevice('no_such_device')",
    'exception-as-value': "[ValueError('not raised', 1), ValueError()]",
    'has-cache': 'session.cache is not None',
}


def daemon(stage):
    stage.value('getversion')
    stage.value('getstatus')
    stage.value('getscript')
    stage.value('gettrace')
    stage.value('getmessages', 3)
    stage.value('getmessages-all', '*')
    stage.refused('getmessages-no-number', 'exception occurred executing command', 'x')
    stage.value('complete', 'print(ma', 'ma')
    stage.value('complete-nothing', 'no_such', 'no_such')
    stage.done('keepalive')
    stage.done('eventmask', ['watchdog', 'no such event'])
    stage.done('eventunmask', ['watchdog'])
    stage.value('transfer', bytes(range(256)))
    stage.refused('transfer-text', 'exception occurred executing command', 'text')
    stage.refused('getversion-too-many-arguments', 'invalid number of arguments', 1)
    stage.refused('eval-too-few-arguments', 'invalid number of arguments', '1')


def cache(stage):
    begun = time.time()
    stage.run('maw(mot, 1)\nmaw(mot, 2)\n')
    # The cache's own time to write.
    time.sleep(1)
    stage.value('gethistory', 'mot/value', begun - 60, time.time() + 60)
    stage.value('gethistory-thinned', 'mot/value', str(begun - 60), str(time.time() + 60), 10)
    stage.value('gethistory-unknown-key', 'no_such/value', begun - 60, time.time() + 60)
    stage.refused('gethistory-no-number', 'exception occurred executing command', 'mot/value', 'x', 'y')
    stage.value('getcachekeys', 'mot/')
    stage.value('getcachekeys-list', 'mot/value,det/unit,no_such/key')
    stage.value('getcachekeys-nothing', 'no_such/')
    stage.event('cache', lambda value: value[1] == 'mot/value')
    stage.event('cache-status', lambda value: value[1].endswith('/status'))


def no_cache(stage):
    """Two bugs' worth of replies that a daemon without value cache gives."""
    take = 'from nicos import session; session.{} = session.{}; session.{} = None'
    stage.say('exec', take.format('_kept', 'cache', 'cache'))
    try:
        stage.twice('gethistory-without-cache', 'mot/value', 0, 1, kinds=['value', 'refused'])
        stage.value('getcachekeys-without-cache', 'mot/')
        stage.refused('simulate-without-cache', 'exception raised running simulation: ', '', 'maw(mot, 1)')
    finally:
        stage.say('exec', take.format('cache', '_kept', '_kept'))


def values(stage):
    for name, expression in VALUES.items():
        stage.value('eval-' + name, expression, False)
    stage.done('eval-none', 'None', False)
    stage.value('eval-text-of', '[1.5, mot]', True)
    stage.value('eval-text-of-nothing', 'no_such_name', True)
    stage.refused('eval-not-picklable', 'exception occurred executing command', 'lambda: 0', False)


def statements(stage):
    mark = stage.mark()
    stage.done('exec', 'print("said by exec")')
    stage.event('message-print', lambda value: 'said by exec' in value[3] and value[2] == 20, mark)
    stage.event('message-input', lambda value: 'said by exec' in value[3] and value[2] == 26, mark)
    stage.done('exec-raising', '1 / 0')
    stage.event('message-traceback', lambda value: value[2] == 40 and value[4], mark)
    stage.done('exec-syntax', '1 +')


def watching(stage):
    mark = stage.mark()
    stage.done('watch', ['mot.read():group', '1 / 0', '6 * 7'])
    stage.event('watch', lambda value: '6 * 7:default' in value, mark)
    stage.value('getstatus-watching')
    stage.refused('watch-text', 'wrong argument type for add_values: str', '6 * 7')
    stage.refused('watch-number', 'wrong type for add_values item: int', [6])
    stage.done('unwatch', ['6 * 7'])
    stage.done('unwatch-group', ['*:group'])
    stage.refused('unwatch-text', 'wrong argument type for del_values: str', '6 * 7')
    stage.done('unwatch-all', ['*'])


SCENES = [values, statements, watching, cache, no_cache]
