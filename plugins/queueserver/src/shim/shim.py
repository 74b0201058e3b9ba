"""What patchbay-queueserver loads into an RE Manager's environment so that Python scripts can be queued as plans.

A script runs statement by statement on a thread of its own, while the plan waits for each; before each statement stands a
checkpoint. Which line it is at, and values that were asked for, are told on the console between two control characters.
Pausing at a line holds the script's thread in its trace function; the Run Engine goes on waiting for the statement.

What a script prints is written in as few pieces as can be, and its lines are counted, because the console drops without a word
what it cannot publish fast enough.
"""


def _patchbay_make():
    import ast
    import asyncio
    import concurrent.futures
    import ctypes
    import functools
    import json
    import linecache
    import os
    import sys
    import threading
    import time
    import traceback

    import bluesky.plan_stubs as bps
    from bluesky_queueserver.manager.output_streaming import ConsoleOutputStream

    names = globals()
    step_s = 0.05
    beat_s = 2.0
    gather_s = 0.05
    gather_most = 32 << 10

    class ScriptStopped(BaseException):
        """The script was stopped by somebody."""

    class Output:
        """What this process prints, on its way to the server's console.

        The console makes a message of each write, and a thousand of them may wait to be published; what comes then is gone. So
        while a script runs, what is printed soon after something else is held for a moment and written together with what
        follows. Everybody writes through here, so that everything stays in its order. In IPython mode the kernel gathers
        what is printed, and only markers come this way.
        """

        def __init__(self, stream):
            self.stream = stream
            self.gathers = isinstance(stream, ConsoleOutputStream)
            self.raw = functools.partial(type(stream).write, stream)
            self.pid = os.getpid()
            # A signal's handler may print in the middle of a print.
            self.lock = threading.RLock()
            self.held, self.size, self.last = [], 0, 0.0
            self.more = threading.Event()
            self.lines = None  # as many as the script has ended; None while no script runs
            self.open = False  # whether it has begun another
            if self.gathers:
                stream.write = self.write
                threading.Thread(target=self.let_go, name="patchbay-output", daemon=True).start()

        def begin(self):
            with self.lock:
                self.flush()
                if self.gathers:
                    self.lines, self.open = 0, False

        def end(self, what):
            """Tells that this was all. The last line counts also if it has no end."""
            with self.lock:
                if self.lines is not None:
                    self.lines += self.open
                self.tell(what)
                self.lines = None

        def write(self, text):
            text = str(text)
            if os.getpid() != self.pid:
                # A child of this process has no thread that would let go what is held.
                return self.raw(text)
            with self.lock:
                if self.lines is None or is_record(text):
                    self.flush()
                    return self.raw(text)
                if text:
                    self.lines += text.count("\n")
                    self.open = not text.endswith("\n")
                    self.held.append(text)
                    self.size += len(text)
                    if self.size >= gather_most or time.monotonic() - self.last >= gather_s:
                        self.flush()
                    else:
                        self.more.set()
            return len(text)

        def tell(self, what):
            """Tells the gateway; with it, how many lines went before."""
            with self.lock:
                self.flush()
                if self.lines is not None:
                    what = dict(what, printed=self.lines)
                # In one piece, so that nothing else can come between.
                self.raw("\x1epatchbay" + json.dumps(what) + "\x1f\n")
                self.stream.flush()

        def flush(self):
            with self.lock:
                self.more.clear()
                held, self.held, self.size = "".join(self.held), [], 0
                if held:
                    self.last = time.monotonic()
                    self.raw(held)

        def let_go(self):
            # Until another version of this has taken the stream over.
            while self.stream.write == self.write:
                if self.more.wait(beat_s):
                    time.sleep(gather_s)
                    self.flush()

    def is_record(text):
        """Of the server's own log; the gateway knows them by their beginning."""
        return text.startswith("[") and " bluesky_queueserver" in text.partition("] ")[0]

    class Script:
        """A script that runs."""

        def __init__(self, code, job, name):
            self.code, self.job = code, job
            self.file = "<%s>" % (name or "script")
            self.line = 0
            self.over = False
            self.hold = None  # None, "line" or "step"
            self.held = False
            self.stop = None  # None, "line", "step" or "now"
            self.by = ""
            self.thread = None
            self.go = threading.Event()

        def tell_lines(self):
            """Says at which line it is, as often as that is of use; on a thread of its own, so that the last one is said too."""
            told = 0
            while not self.over:
                line = self.line
                if line != told:
                    told = line
                    tell({"job": self.job, "line": line})
                time.sleep(step_s)

        def parse(self):
            lines = self.code.splitlines(True)
            linecache.cache[self.file] = (len(self.code), None, lines, self.file)
            body = ast.parse(self.code, self.file).body
            return [compile(ast.Module([one], []), self.file, "exec") for one in body]

        def run(self, statement):
            """One statement, on this thread."""
            self.thread = threading.get_ident()
            before = sys.gettrace()
            sys.settrace(self.trace)
            try:
                self.point("step")
                exec(statement, names)
            finally:
                sys.settrace(before)
                self.thread = None

        def trace(self, frame, event, _arg):
            if frame.f_code.co_filename != self.file:
                return None
            if event == "line":
                self.line = frame.f_lineno
                self.point("line")
            return self.trace

        def point(self, where):
            """Where it may be stopped and held."""
            if self.stop and (self.stop != "step" or where == "step"):
                raise ScriptStopped("stopped by " + self.by)
            if self.hold and (self.hold == "line" or where == "step"):
                self.held = True
                tell({"job": self.job, "held": True, "line": self.line})
                while self.hold and not self.stop:
                    self.go.wait(1.0)
                self.held = False
                tell({"job": self.job, "held": False, "line": self.line})
                if self.stop:
                    raise ScriptStopped("stopped by " + self.by)

        def interrupt(self):
            """Raises in the script's thread, at the next bytecode of whatever it is in."""
            thread = self.thread
            if thread is not None:
                raised = ctypes.py_object(ScriptStopped)
                ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread), raised)

    class Desk:
        """What the gateway says to the script that runs."""

        version = "@VERSION@"

        def __init__(self):
            self.script = None
            self.output = Output(sys.stdout)
            self.done = set()

        def hello(self):
            tell({"ready": os.getpid()})
            script = self.script
            if script is not None:
                tell({"job": script.job, "begun": True})
                tell({"job": script.job, "held": script.held, "line": script.line})

        def begin(self, code, job, name, once):
            if once and job in self.done:
                raise RuntimeError("this job has been run already; submit it again")
            self.done.add(job)
            script = self.script = Script(code, job, name)
            self.output.begin()
            threading.Thread(target=script.tell_lines, name="patchbay-lines", daemon=True).start()
            return script

        def end(self, script):
            script.over = True
            if self.script is script:
                self.script = None
            self.output.end({"job": script.job, "over": True})

        def named(self, job):
            script = self.script
            if script is None or script.job != job:
                raise RuntimeError("that script does not run")
            return script

        def pause(self, job, at):
            script = self.named(job)
            script.go.clear()
            script.hold = at

        def resume(self, job):
            script = self.named(job)
            script.hold = None
            script.go.set()

        def stop(self, job, at, by):
            script = self.named(job)
            script.by, script.stop = by, at
            script.go.set()
            if at == "now" and not script.held:
                script.interrupt()

        def foreground(self, code, job, name):
            """A script that calls `RE(...)`, on this thread; no plan."""
            script = self.begin(code, job, name, True)
            tell({"job": job, "begun": True})
            try:
                for statement in script.parse():
                    script.run(statement)
            except ScriptStopped as stopped:
                raise RuntimeError("the script was " + str(stopped or "stopped")) from None
            finally:
                self.end(script)

        def value(self, code, nonce):
            try:
                found = eval(compile(code, "<eval>", "eval"), names)
                tell({"nonce": nonce, "value": plain(found, 0)})
            except BaseException as error:
                said = "%s: %s" % (type(error).__name__, error)
                tell({"nonce": nonce, "raised": said})

        def trace(self, nonce):
            script = self.script
            frame = sys._current_frames().get(script.thread) if script and script.thread else None
            text = "".join(traceback.format_stack(frame)) if frame else ""
            tell({"nonce": nonce, "value": text})

    def plain(value, depth):
        """A value in the JSON of the neutral model."""
        if depth > 50:
            return repr(value)
        if value is None or isinstance(value, (bool, str)):
            return value
        if isinstance(value, int):
            return int(value) if -(2**63) <= value < 2**64 else {"$int": str(int(value))}
        if isinstance(value, float):
            value = float(value)
            if value != value:
                return {"$float": "nan"}
            if value in (float("inf"), float("-inf")):
                return {"$float": "inf" if value > 0 else "-inf"}
            return value
        if isinstance(value, (bytes, bytearray)):
            import base64

            return {"$bytes": base64.b64encode(bytes(value)).decode()}
        if isinstance(value, (list, tuple, set, frozenset)):
            return [plain(one, depth + 1) for one in value]
        if isinstance(value, dict):
            if all(isinstance(key, str) and not key.startswith("$") for key in value):
                return {key: plain(one, depth + 1) for key, one in value.items()}
            pairs = [[plain(key, depth + 1), plain(one, depth + 1)] for key, one in value.items()]
            return {"$dict": pairs}
        if hasattr(value, "tolist") and hasattr(value, "dtype"):
            return plain(value.tolist(), depth + 1)
        kind = type(value)
        return {"$class": "%s.%s" % (kind.__module__, kind.__qualname__), "repr": repr(value)}

    desk = Desk()
    tell = desk.output.tell

    def patchbay_script(code: str, job: str, name: str = "", once: bool = True):
        """Runs a Python script as a plan, statement by statement."""
        script = desk.begin(code, job, name, once)
        tell({"job": job, "begun": True})
        pool = concurrent.futures.ThreadPoolExecutor(1, "patchbay-script")
        under_way = []

        def wait():
            """Waits for the statement; the same one if the Run Engine repeats what it did since the checkpoint."""
            return asyncio.wrap_future(under_way[-1])

        def at_work():
            """Whether a statement is under way; if so, it is told to end."""
            if not under_way or under_way[-1].done():
                return False
            desk.stop(job, "now", script.by or "the RE Manager")
            return True

        def settle():
            """Does not leave a thread at work behind."""
            if at_work():
                quiet = concurrent.futures.Future()
                under_way[-1].add_done_callback(lambda _: quiet.set_result(None))
                yield from bps.wait_for([lambda: asyncio.wrap_future(quiet)])

        try:
            for statement in script.parse():
                yield from bps.checkpoint()
                under_way.append(pool.submit(script.run, statement))
                yield from bps.wait_for([lambda: asyncio.shield(quietly(wait()))])
                under_way[-1].result()
        except ScriptStopped as stopped:
            raise RuntimeError("the script was " + (str(stopped) or "stopped by " + script.by)) from None
        except GeneratorExit:
            # Halted: nothing can be waited for any more.
            at_work()
            raise
        except BaseException:
            yield from settle()
            raise
        finally:
            desk.end(script)
            pool.shutdown(wait=False)

    async def quietly(future):
        # What the statement raised is raised by the plan, which gives a traceback with the script's lines only.
        try:
            await future
        except BaseException:
            pass

    def beat():
        """While something runs, says now and then that this process lives; whoever hears nothing can look."""
        engine = names.get("RE")
        while names.get("_patchbay") in (None, desk):
            time.sleep(beat_s)
            if desk.script is not None or getattr(engine, "state", "idle") != "idle":
                tell({"beat": os.getpid()})

    threading.Thread(target=beat, name="patchbay-beat", daemon=True).start()
    return desk, patchbay_script


# A gateway that was restarted finds its desk as it was, with the script that runs.
if getattr(globals().get("_patchbay"), "version", None) == "@VERSION@":
    _patchbay.hello()
else:
    _patchbay, patchbay_script = _patchbay_make()
    _patchbay.hello()
