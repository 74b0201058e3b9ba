"""Runs a script and shows its output: client.py HOST PORT USER SCRIPT, with the password in PATCHBAY_PASSWORD."""
import json, os, socket, sys
host, port, user, script = sys.argv[1:]
gateway = socket.create_connection((host, int(port))).makefile("rw", encoding="utf-8", newline="\n")
def ask(op, **args):
    print(json.dumps({"op": op, "args": args}), file=gateway, flush=True)
    answer = next((line for line in map(json.loads, gateway) if line.keys() & {"ok", "error", "bye"}), {})
    if "ok" not in answer:
        sys.exit(answer.get("error") or answer.get("bye") or "the gateway has closed the connection")
    return answer["ok"]
ask("login", user=user, secret=os.environ["PATCHBAY_PASSWORD"])
before = ask("subscribe", kinds=[])  # the number of the last event before the script's
job = ask("submit", name=script, code=open(script, encoding="utf-8").read())["job"]
ask("subscribe", kinds=["job", "log"], since=before)
for event in (line["event"] for line in map(json.loads, gateway) if "event" in line):
    if event["job"] == job and event["kind"] == "log" and event["body"]["level"] not in ("action", "input"):
        print(event["body"]["text"])
    if event["job"] == job and event["kind"] == "job" and event["body"]["state"] in ("finished", "removed"):
        sys.exit(0 if event["body"].get("outcome") == "succeeded" else 1)
sys.exit("the gateway has closed the connection")
