"""A program that asks what it is told to: its configuration's `do`, in Python, when it starts; and tells what it hears as logs."""
import json, os, sys, time

def say(kind, head={}, body=None, id=0, **more):
    sys.stdout.write(json.dumps({"kind": kind, "id": id, "head": head, "body": body, **more}) + "\n")
    sys.stdout.flush()

def hear():
    """The next message that is for the program itself."""
    while line := sys.stdin.buffer.readline():
        message = json.loads(line)
        kind = message["kind"]
        if kind == "ping":
            say("pong", id=message["id"])
        elif kind == "start":
            exec(message["body"]["do"], globals())
        elif kind == "stop":
            break
        else:
            say("log", {"level": "info", "message": "heard " + json.dumps(message)})
            return message
    sys.exit()

def ready():
    """Says that it is ready, and waits until that is known: only then there is an event. What is told before is not looked at."""
    say("subscribe", id=1000)
    until("reply")
    say("credit", {"events": 1})
    say("ready")
    until("event")

def until(kind):
    while (message := json.loads(sys.stdin.buffer.readline()))["kind"] != kind:
        if message["kind"] == "ping":
            say("pong", id=message["id"])

while True:
    hear()
