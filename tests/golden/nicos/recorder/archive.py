"""What was recorded, and how it becomes files."""

import json
import re
import shutil

from . import forms


class Archive:
    """Collects payloads; `private` are texts that must not leave this machine."""

    def __init__(self, private):
        self.rules = [(pattern(old), neutral(old, new)) for old, new in private]
        self.files = {}
        self.replies = []
        self.events = []

    def clean(self, payload):
        """The same bytes with private texts replaced by neutral ones of the same length, as pickles have lengths."""
        for old, new in self.rules:
            payload = old.sub(new, payload)
        return payload

    def reply(self, name, command, args, replies):
        """`args` is `None` where something else than arguments was sent."""
        told = [reply for reply in replies if reply.payload is not None]
        entry = {'name': name, 'command': command, 'args': forms.form(args), 'replies': []}
        for reply in replies:
            part = {'kind': reply.kind}
            if reply.payload is not None:
                number = f'.{told.index(reply) + 1}' if len(told) > 1 else ''
                part['payload'] = name + number
                self._value('replies/' + part['payload'], reply.payload)
            entry['replies'].append(part)
        self.replies.append(entry)

    def event(self, name, event):
        self._value('events/' + name, event.payload)
        for number, blob in enumerate(event.blobs):
            self._file(f'events/{name}.blob{number}', self.clean(blob))
        self.events.append({'name': name, 'event': event.name, 'code': event.code, 'blobs': len(event.blobs)})

    def write(self, folder, banner):
        """Replaces what an earlier recording left in `folder`."""
        for part in ('replies', 'events'):
            shutil.rmtree(folder / part, ignore_errors=True)
            (folder / part).mkdir(parents=True)
        for name, content in self.files.items():
            (folder / name).write_bytes(content)
        lines = [f'"nicos": {dump(banner["daemon_version"])}', f'"protocol": {banner["protocol_version"]}']
        for part, entries in (('replies', self.replies), ('events', self.events)):
            lines.append(f'"{part}": [\n' + ',\n'.join(map(dump, entries)) + '\n]')
        manifest = '{\n' + ',\n'.join(lines) + '\n}\n'
        (folder / 'manifest.json').write_bytes(self.clean(manifest.encode()))

    def _value(self, name, payload):
        payload = self.clean(payload)
        self._file(name + '.pickle', payload)
        self._file(name + '.json', (dump(forms.form(forms.load(payload))) + '\n').encode())

    def _file(self, name, content):
        if name in self.files:
            raise ValueError(f'{name} is recorded twice')
        self.files[name] = content


def dump(value):
    return json.dumps(value, ensure_ascii=False, allow_nan=False)


def pattern(private):
    """Finds a path or number wherever it is, a name only where it is a whole word."""
    word = re.escape(private.encode())
    # What follows the end of a text in a pickle is the letter q or r, which remembers it.
    return re.compile(word if '/' in private or len(private) > 8 else rb'(?<!\w)' + word + rb'(?=\W|[qr])')


def neutral(private, replacement):
    return replacement.encode().ljust(len(private.encode()), b'a')[:len(private.encode())]
