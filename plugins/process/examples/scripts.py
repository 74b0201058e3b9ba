"""A whole script server: runs Python scripts one after the other, each in a process of its own (see ../PROTOCOL.md)."""
import json, subprocess, sys, tempfile, threading, time, uuid
out, sys.stdout = sys.stdout, sys.stderr  # so that a stray print() lands in the log, not between the messages
lock = threading.Condition()  # guards all that follows, and keeps the messages of two threads apart
jobs, waiting, log, users = {}, [], [], {}  # jobs by id; those that wait; the last messages; users by session
running = process = last = None

def say(kind, head={}, body=None, id=0):
    print(json.dumps({"kind": kind, "id": id, "head": head, "body": body}), file=out, flush=True)

def changes(job, state, event, **more):
    job.update({"state": state, {"queued": "submitted", "finished": "ended"}.get(event, event): time.time()})
    say("event", {"kind": "job", "job": job["id"]}, {"state": event, "name": job["name"], "user": job["user"], **more})

def work():  # in a thread of its own: the loop at the end must always be free to listen
    global running, process, last
    while True:
        with lock, tempfile.TemporaryFile() as script:
            lock.wait_for(lambda: waiting)
            running = job = waiting.pop(0)
            script.write(job["body"].encode()), script.seek(0)
            process = subprocess.Popen([sys.executable, "-u", "-"], stdin=script, stdout=subprocess.PIPE,
                                       stderr=subprocess.STDOUT, text=True, errors="replace")
            changes(job, "running", "started")
        for text in process.stdout:
            with lock:
                log[:] = log[-999:] + [{"time": time.time(), "level": "info", "text": text.rstrip(), "job": job["id"]}]
                say("event", {"kind": "log", "job": job["id"]}, log[-1])
        outcome = "failed" if process.wait() else "succeeded"  # only status 0 is a success
        with lock:
            last, running = job, None
            changes(job, outcome, "finished", outcome=outcome)

def call(user, op, args):  # what to answer; or an error, with the kind of the fault and a sentence
    if op == "submit":
        job = {"id": str(uuid.uuid4()), "name": args.get("name"), "user": user, "body": args["code"].encode().decode()}
        jobs[job["id"]] = job
        waiting.append(job), lock.notify()
        changes(job, "queued", "queued")
        return {"job": job["id"]}
    if op == "status": return {"link": "up", "run": "running" if running else "idle", "job": running, "queue": waiting, "last": last}
    if op == "job" and args["job"] in jobs: return jobs[args["job"]]
    if op == "log": return {"messages": log[-args.get("last", 100):]}
    if op == "stop" and running: return process.kill()
    if op == "capabilities": return {"ops": {"submit": "native", "pause": {"unsupported": "not in this toy"}}, "stop": {"at": ["now"]}}
    raise NotImplementedError({"job": "not-found", "stop": "conflict"}.get(op, "unsupported"), f"`{op}` is not possible here, or not now")

threading.Thread(target=work, daemon=True).start()
for message in map(json.loads, sys.stdin.buffer):
    kind, id, head, body = (message.get(part) for part in ("kind", "id", "head", "body"))
    with lock:
        if kind == "start": say("ready")
        if kind == "ping": say("pong", id=id)
        if kind == "stop": break
        if kind == "login": say("reply", id=id, body=users.update({head["session"]: head["user"]}))
        if kind == "call":
            try: say("reply", body=call(users[head["session"]], head["op"], body or {}), id=id)
            except NotImplementedError as why: say("reply", {"fault": dict(zip(("kind", "message"), why.args))}, id=id)
            except Exception as why: say("reply", {"fault": {"kind": "invalid", "message": f"wrong arguments (`code`?): {why!r}"}}, id=id)
if running: process.kill()  # here also the gateway is gone, perhaps
