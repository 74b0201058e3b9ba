#!/usr/bin/env python3
"""A made-up script server. Clients write lines; each begins with a tag of theirs, which comes back with the answer:

    1 CHECK anna secret      1 OK user            who somebody is; NO if the password is wrong
    2 RUN 0f6c "one\\ntwo"    2 OK                 queues a script (JSON text) under an id of the client's
    3 JOB 0f6c               3 OK RUNNING 1       or WAITING, DONE ok, DONE error "why"; NO if it is not known
    4 STOP / 4 DROP 0f6c     4 OK                 ends the script that runs; takes one out of the queue
    5 EVAL "text"            5 OK "text"          `sleep S` takes S seconds
    6 HANGUP                 6 OK                 for tests: the next RUN is done, and in place of its answer all are hung up on

and, without a tag, what happens: EVT BOOT boot, EVT BEGIN id, EVT LINE id n, EVT OUT id "text", EVT END id ok|error "why",
EVT DROPPED id. A script says its lines; `fail` fails, `wait` lasts until it is stopped.
"""

import asyncio, json, sys, time

BOOT = str(time.time_ns())
jobs, waiting, clients, news = {}, [], set(), asyncio.Event()
stopping, hang_up = asyncio.Event(), asyncio.Event()


def tell(line):
    for writer in clients:
        writer.write(f"EVT {line}\n".encode())


async def carry_out(job, code):
    for number, text in enumerate(code.splitlines(), 1):
        jobs[job] = f"RUNNING {number}"
        tell(f"LINE {job} {number}")
        pause = 3600 if text == "wait" else 0.01
        try:
            await asyncio.wait_for(stopping.wait(), pause)
            return "error " + json.dumps("stopped")
        except asyncio.TimeoutError:
            pass
        if text == "fail":
            return "error " + json.dumps(f"line {number} says fail")
        tell(f"OUT {job} {json.dumps(text)}")
    return "ok"


async def work():
    while True:
        while not waiting:
            news.clear()
            await news.wait()
        job, code = waiting.pop(0)
        stopping.clear()
        jobs[job] = "RUNNING 0"
        tell(f"BEGIN {job}")
        outcome = await carry_out(job, code)
        jobs[job] = "DONE " + outcome
        tell(f"END {job} {outcome}")


async def answer(word, rest):
    if word == "CHECK":
        user, _, password = rest.partition(" ")
        return "OK user" if password == "secret" else "NO wrong name or password"
    if word == "RUN":
        job, _, code = rest.partition(" ")
        if job not in jobs:
            jobs[job] = "WAITING"
            waiting.append((job, json.loads(code)))
            news.set()
        return "OK"
    if word == "JOB":
        return f"OK {jobs[rest]}" if rest in jobs else "NO there is no such job"
    if word == "STOP":
        if not any(state.startswith("RUNNING") for state in jobs.values()):
            return "NO nothing runs"
        stopping.set()
        return "OK"
    if word == "DROP":
        for entry in waiting:
            if entry[0] == rest:
                waiting.remove(entry)
                jobs[rest] = "DROPPED"
                tell(f"DROPPED {rest}")
                return "OK"
        return "NO it does not wait"
    if word == "EVAL":
        text = json.loads(rest)
        if text.startswith("sleep "):
            await asyncio.sleep(float(text.removeprefix("sleep ")))
        return "OK " + json.dumps(text)
    if word == "HANGUP":
        hang_up.set()
        return "OK"
    return f"NO what is {word}?"


async def serve(reader, writer):
    clients.add(writer)
    writer.write(f"EVT BOOT {BOOT}\n".encode())
    under_way = set()

    async def take(tag, word, rest):
        said = await answer(word, rest)
        if word == "RUN" and hang_up.is_set():
            hang_up.clear()
            for client in clients:
                client.close()
            return
        writer.write(f"{tag} {said}\n".encode())

    while line := await reader.readline():
        tag, word, rest = (line.decode().rstrip("\n").split(" ", 2) + ["", ""])[:3]
        task = asyncio.ensure_future(take(tag, word, rest))
        under_way.add(task)
        task.add_done_callback(under_way.discard)
    clients.discard(writer)
    for task in under_way:
        task.cancel()
    writer.close()


async def main(port):
    server = await asyncio.start_server(serve, "127.0.0.1", port, limit=32 << 20)
    print("listening on", server.sockets[0].getsockname()[1], flush=True)
    await asyncio.gather(work(), server.serve_forever())


asyncio.run(main(int(sys.argv[1])))
