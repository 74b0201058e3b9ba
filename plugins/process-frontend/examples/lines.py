"""A small frontend: clients connect by TCP and write `TAG OPERATION ARGUMENTS`, a line each, such as

    1 login {"user": "anna", "secret": "…"}
    2 submit {"code": "count(1)"}

An answer is `TAG ok …` or `TAG no WHY`, with JSON; after `3 subscribe` each event comes as `* …` (see ../../process/PROTOCOL.md)."""
import asyncio, itertools, json, sys

CLIENTS, LINE, UNREAD = 100, 4 << 20, 16 << 20  # most clients; longest line; most bytes that a client may leave unread
out, sys.stdout = sys.stdout, sys.stderr  # so that a stray print() lands in the log, not between the messages
numbers, waiting, tasks, clients, listeners = itertools.count(1), {}, set(), set(), set()

def say(kind, head={}, body=None, id=0, **more):
    print(json.dumps({"kind": kind, "id": id, "head": head, "body": body, **more}), file=out, flush=True)

async def ask(kind, head, body=None, **more):
    """Asks the gateway; other requests go on meanwhile."""
    id, reply = next(numbers), asyncio.get_running_loop().create_future()
    waiting[id] = reply
    say(kind, head, body, id, **more)
    reply = await reply
    if "fault" in reply["head"]: raise ValueError(reply["head"]["fault"]["message"])
    return reply

def tell(client, tag, word, said):
    """Writes to a client; one that does not read is cut off, so that it costs nobody anything."""
    client.write(f"{tag} {word} {json.dumps(said)}\n".encode())
    if client.transport.get_write_buffer_size() > UNREAD: client.transport.abort()

async def answer(client, tag, session, op, args):
    try: tell(client, tag, "ok", (await ask("call", {"session": session, "op": op}, args)).get("body"))
    except ValueError as why: tell(client, tag, "no", str(why))

async def serve(reader, client):
    session = 0
    clients.add(client)
    try:
        while len(clients) <= CLIENTS and (line := await reader.readline()):
            tag, op, args = (line.decode().strip() + "  ").split(" ", 2)
            args = json.loads(args if args.strip() else "{}")
            if op == "login" and not session:
                who = {"user": args["user"], "client": client.get_extra_info("peername")[0]}
                try: session = (await ask("login", who, secret=args["secret"]))["head"]["session"]["session"]
                except ValueError as why: tell(client, tag, "no", str(why))
                else: tell(client, tag, "ok", session)
            elif op == "subscribe" and session:
                listeners.add(client)
                tell(client, tag, "ok", None)
            else:
                tasks.add(task := asyncio.create_task(answer(client, tag, session, op, args)))
                task.add_done_callback(tasks.discard)
    except (ValueError, LookupError, TypeError, OSError) as why:  # none of this protocol, a line too long, or gone
        print("a client is cut off:", type(why).__name__)  # and not what it wrote, which may be a password
    finally:
        clients.discard(client), listeners.discard(client)
        if session: say("logout", {"session": session})
        client.close()

async def main():
    gateway = asyncio.StreamReader(limit=64 << 20)
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(gateway), sys.stdin)
    while line := await gateway.readline():
        message = json.loads(line)
        kind, id, body = message["kind"], message["id"], message.get("body")
        if kind == "start":
            await asyncio.start_server(serve, "127.0.0.1", body["port"], limit=LINE)
            say("subscribe"), say("credit", {"events": 100}), say("ready")
        if kind == "event":
            for client in list(listeners): tell(client, "*", message["head"]["kind"], body)
            say("credit", {"events": 1})
        if kind == "reply": waiting.pop(id).set_result(message)
        if kind == "ping": say("pong", id=id)
        if kind == "stop":  # what was taken is answered first; the answers still come in here
            asyncio.gather(*tasks).add_done_callback(lambda _: say("stopped"))
    await asyncio.gather(*(client.drain() for client in clients), return_exceptions=True)

asyncio.run(main())
