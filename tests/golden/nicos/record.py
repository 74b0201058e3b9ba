"""Records what a real NICOS daemon says: `python record.py HOST:PORT`, with NICOS importable.

Run by `cargo xtask record nicos`, which starts such a daemon, and by a test, which records it into another folder. Written from the protocol alone, with neither NICOS's
client nor the gateway's code, so that its recordings can tell when one of these is wrong.
"""

import argparse
import os
import socket
import sys
import tempfile
import traceback
from pathlib import Path

from recorder import archive, control, data, login, looks, wire
from recorder.stage import Stage

# What the daemon tells before anything was done comes first.
SCENES = [looks.daemon, data.before, *login.SCENES, *looks.SCENES, *control.SCENES, *data.SCENES, login.farewell]


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition(':')[0])
    parser.add_argument('address', help='the daemon, as HOST:PORT')
    parser.add_argument('--into', type=Path, default=Path(__file__).parent, help='the folder for the recordings')
    args = parser.parse_args()
    host, _, port = args.address.rpartition(':')
    stage = open_stage((host, int(port)))
    failed = [failure for scene in SCENES for failure in play(stage, scene)] + unprovoked(stage.archive)
    for failure in failed:
        print(f'not provoked: {failure}', file=sys.stderr)
    if failed:
        return 1
    stage.archive.write(args.into, stage.admin.banner.value)
    size = sum(map(len, stage.archive.files.values())) // 1000
    print(f'{len(stage.archive.replies)} replies and {len(stage.archive.events)} events recorded, {size} kB')
    return 0


def open_stage(address):
    admin, guest = wire.Client(address), wire.Client(address)
    # Whoever was let in can ask where everything lies, which no recording may tell, not even that of a greeting.
    login.log_in(guest, 'guest', 'any')
    stage = Stage(address, archive.Archive(private(guest)), admin, guest)
    login.greeting(stage)
    admin.listen()
    guest.listen()
    return stage


def private(client):
    """What would tell where and by whom a recording was made, each with what is written in its place."""
    root = client.banner.value['nicos_root']
    instance = client.ask('eval', "__import__('os').getcwd()", False).value
    names = [(name, 'host') for name in {socket.gethostname(), socket.getfqdn()} - {'localhost'}]
    # Request ids end in the network card's address.
    names.append((client.ask('eval', "str(__import__('uuid').uuid1())[-12:]", False).value, ''))
    paths = [(instance, '/opt/instance'), (str(Path(root).parent), '/opt/nicos'), (sys.prefix, '/opt/venv'),
             (str(Path(__file__).parents[3]), '/opt/patchbay'), (os.path.expanduser('~'), '/home')]
    if not sys.base_prefix.startswith('/usr'):
        paths.append((sys.base_prefix, '/opt/python'))
    if tempfile.gettempdir() != '/tmp':
        paths.append((tempfile.gettempdir(), '/tmp'))
    # Longer ones first: one may lie in another.
    return sorted(paths + names, key=lambda pair: -len(pair[0]))


def play(stage, scene):
    """Plays one scene, and tells what went wrong."""
    print(f'{scene.__module__.partition(".")[2]}: {scene.__name__}', flush=True)
    try:
        scene(stage)
        return []
    except Exception as error:
        if not isinstance(error, wire.Missing):
            traceback.print_exc()
        failed = [f'{scene.__name__}: {error}']
    try:
        stage.settle()
    except Exception as error:
        failed.append(f'what comes after {scene.__name__}: {error}')
    return failed


def unprovoked(kept):
    commands = {entry['command'] for entry in kept.replies}
    events = {entry['event'] for entry in kept.events}
    return [f'the command {name}' for name in wire.COMMANDS if name not in commands] + \
        [f'the event {name}' for name in wire.EVENTS.values() if name not in events]


if __name__ == '__main__':
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit('interrupted; nothing was written')
