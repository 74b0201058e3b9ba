"""Runs a script and shows its output: client.py HOST PORT USER SCRIPT, with the password in PATCHBAY_PASSWORD."""
import itertools, json, os, socket, sys

host, port, user, script = sys.argv[1:]
gateway = socket.create_connection((host, int(port))).makefile("rw", encoding="utf-8", newline="\n")
events = []  # that came before an answer

def ask(op, **args):
    print(json.dumps({"op": op, "args": args}), file=gateway, flush=True)
    for line in map(json.loads, gateway):
        if "ok" in line:
            return line["ok"]
        if "error" in line or "bye" in line:
            sys.exit((line.get("error") or line["bye"])["message"])
        events.append(line)
    sys.exit("the gateway has closed the connection")

ask("login", user=user, secret=os.environ["PATCHBAY_PASSWORD"])
ask("subscribe", kinds=["job", "log"])
job = ask("submit", name=script, code=open(script, encoding="utf-8").read())["job"]
for line in itertools.chain(events, map(json.loads, gateway)):
    event = line.get("event", {})
    if event.get("job") == job and event["kind"] == "log":
        if event["body"]["level"] not in ("action", "input"):
            print(event["body"]["text"])
    elif event.get("job") == job and event["body"]["state"] in ("finished", "removed"):
        sys.exit(0 if event["body"].get("outcome") == "succeeded" else 1)
sys.exit("the gateway has closed the connection")
