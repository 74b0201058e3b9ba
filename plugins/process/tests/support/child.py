"""A program that does wrong what it is told to: each line of its configuration's `do`, and of a `call`'s `code`, in Python."""
import json, os, signal, subprocess, sys, threading, time

config, heard, grandchildren = {}, [], []

def write(text):
    sys.stdout.write(text)
    sys.stdout.flush()

def say(kind, head={}, body=None, id=0, **more):
    write(json.dumps({"kind": kind, "id": id, "head": head, "body": body, **more}) + "\n")

def reply(body=None, **head):
    say("reply", head, body, message["id"])

for line in sys.stdin.buffer:
    message = json.loads(line)
    heard.append(message)
    kind, head = message["kind"], message.get("head", {})
    if kind == "start":
        config = message["body"]
        exec(config.get("do", "say('ready')"))
    elif kind == "login":
        exec(config.get("login", "reply()"))
    elif kind == "call" and head["op"] not in ("capabilities", "eval", "status", "stop", "submit"):
        reply(fault={"kind": "unsupported", "message": "there is no `%s` here" % head["op"]})
    elif kind == "call":
        exec((message.get("body") or {}).get("code", "reply(message.get('body'))"))
    elif kind == "ping":
        exec(config.get("ping", "say('pong', id=message['id'])"))
    elif kind == "stop":
        exec(config.get("stop", "sys.exit()"))
