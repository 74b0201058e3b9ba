"""A small frontend: clients connect by TCP, write `login NAME PASSWORD`, then `status`, `submit CODE` or `tail`, a line each."""
import collections, itertools, json, queue, socketserver, sys, threading

out, sys.stdout = sys.stdout, sys.stderr  # so that a stray print() lands in the log, not between the messages
lock, numbers, waiting = threading.Lock(), itertools.count(1), {}
tail = collections.deque(maxlen=100)  # the last lines that scripts have printed

def say(kind, head={}, body=None, id=0, **more):
    with lock:
        print(json.dumps({"kind": kind, "id": id, "head": head, "body": body, **more}), file=out, flush=True)

def ask(kind, head, body=None, **more):
    id, answers = next(numbers), queue.Queue()
    waiting[id] = answers  # before it is asked, for the answer comes in another thread
    say(kind, head, body, id, **more)
    reply = answers.get()
    if "fault" in reply["head"]:
        raise ValueError(reply["head"]["fault"]["message"])
    return reply

def answer(session, word, rest):
    if word == "tail": return list(tail)
    return ask("call", {"session": session, "op": word}, {"code": rest} if word == "submit" else {}).get("body")

class Client(socketserver.StreamRequestHandler):
    timeout = 600  # seconds; a client that says nothing for longer is gone

    def handle(self):
        session = None
        while line := self.rfile.readline(65536).decode(errors="replace"):
            word, _, rest = line.strip().partition(" ")
            try:
                if word == "login":
                    user, _, secret = rest.partition(" ")
                    granted = ask("login", {"user": user, "client": self.client_address[0]}, secret=secret)
                    said = session = granted["head"]["session"]["session"]
                else:
                    said = answer(session or 0, word, rest)
            except ValueError as why:
                said = {"error": str(why)}
            self.wfile.write(json.dumps(said).encode() + b"\n")
        if session: say("logout", {"session": session})

socketserver.ThreadingTCPServer.allow_reuse_address = socketserver.ThreadingTCPServer.daemon_threads = True
for message in map(json.loads, sys.stdin.buffer):
    kind, id, body = message["kind"], message["id"], message.get("body")
    if kind == "start":
        server = socketserver.ThreadingTCPServer(("127.0.0.1", body["port"]), Client)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        say("subscribe")
        say("credit", {"events": 100})
        say("ready")
    if kind == "event":
        if message["head"]["kind"] == "log": tail.append(body["text"])
        say("credit", {"events": 1})
    if kind == "reply": waiting.pop(id).put(message)
    if kind == "ping": say("pong", id=id)
    if kind == "stop": break
