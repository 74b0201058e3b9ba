"""The peer: a proxy in the manner of the one that Patchbay takes the place of, written for the benchmark.

    proxy.py STOMP-HOST:PORT QUEUE [NICOS-HOST:PORT]

A stomp.py listener reads a request, json takes it apart, a blocking client of NICOS asks the daemon, and the answer goes back. Without
a daemon it answers with what it was asked. Ends with its standard input.
"""

import json
import sys

import stomp


class Echo:
    def ask(self, request):
        return request.get('args')


class Nicos:
    """NICOS's own client, as its command-line programs use it."""

    def __init__(self, address):
        from nicos.clients.base import ConnectionData, NicosClient

        class Client(NicosClient):
            def signal(self, name, data=None, exc=None):
                pass

        host, _, port = address.rpartition(':')
        self.client = Client(print)
        self.client.connect(ConnectionData(host, int(port), 'admin', 'admin'))
        if not self.client.isconnected:
            raise SystemExit(f'no connection to NICOS at {address}')

    def ask(self, request):
        return self.client.ask('getstatus') if request.get('op') == 'status' else None


class Listener(stomp.ConnectionListener):
    def __init__(self, connection, server):
        self.connection = connection
        self.server = server

    def on_message(self, frame):
        request = json.loads(frame.body)
        answer = json.dumps({'ok': self.server.ask(request)})
        headers = {'correlation-id': frame.headers['correlation-id']}
        self.connection.send(frame.headers['reply-to'], answer, headers=headers)


def main():
    broker, queue, *daemon = sys.argv[1:]
    host, _, port = broker.rpartition(':')
    # Without a length the broker takes it for a text.
    connection = stomp.Connection12([(host, int(port))], auto_content_length=False)
    connection.set_listener('', Listener(connection, Nicos(daemon[0]) if daemon else Echo()))
    connection.connect(wait=True)
    connection.subscribe(f'/queue/{queue}', id='1', ack='auto')
    print('ready', flush=True)
    sys.stdin.read()
    connection.disconnect()


main()
