"""Runs Patchbay's Python scripts, one after the other, in one namespace.

The gateway starts this file with a socket as standard input. On it both sides speak lines of JSON: what is to be done
comes in (`do`), what happens goes out (`say`). The main thread runs the scripts; a second one reads the socket; what is
evaluated beside a script has threads of its own, a few at the most.

A script that runs is not traced: it goes at full speed, and where it is is looked up in its frames now and then. Only a
pause or a stop at a line makes the main thread trace it, from then until it has come to its next line.

The script has this process to itself. Nothing here is a wall against it: what it breaks ends its own worker.
"""

import base64
import builtins
import collections
import fcntl
import io
import json
import linecache
import logging
import math
import os
import queue
import re
import resource
import rlcompleter
import signal
import sys
import threading
import time
import traceback
import types

LOOK_S = 0.05  # how often it is looked up where the script is
SOURCES = 100  # as many scripts are remembered with their text, for tracebacks
TRACEBACK = 64 * 1024  # longest traceback, in characters
COMPLETIONS = 200


class Stopped(KeyboardInterrupt):
    """Somebody has stopped the script. It is a KeyboardInterrupt, so that scripts may tidy up as after Ctrl-C."""


class Calm:
    """While the main thread is in here, a stop waits: half a message on the socket would be the end of the worker."""

    def __init__(self):
        self.main = threading.get_ident()
        self.depth = 0
        self.due = False

    def __enter__(self):
        if threading.get_ident() == self.main:
            self.depth += 1

    def __exit__(self, *_):
        if threading.get_ident() == self.main:
            self.depth -= 1
            if self.depth == 0 and self.due:
                self.due = False
                raise Stopped

    def stop(self):
        """Called in the main thread by the signal's handler."""
        if self.depth:
            self.due = True
        else:
            raise Stopped


class Link:
    """The socket to the gateway."""

    def __init__(self, fd, calm):
        self.fd = fd
        self.calm = calm
        self.lock = threading.Lock()

    def say(self, what, **fields):
        # What no UTF-8 can say becomes a question mark.
        data = json.dumps({"say": what, **fields}, ensure_ascii=False).encode("utf-8", "replace") + b"\n"
        with self.calm, self.lock:
            while data:
                data = data[os.write(self.fd, data):]

    def lines(self):
        rest = b""
        while True:
            chunk = os.read(self.fd, 1 << 16)
            if not chunk:
                return
            *lines, rest = (rest + chunk).split(b"\n")
            yield from lines


class Output(io.TextIOBase):
    """Standard output or error: each line is told. Its `buffer` and `fileno` are the real ones, for other programs."""

    encoding = "utf-8"
    errors = "replace"

    def __init__(self, worker, level, fd):
        super().__init__()
        self.worker = worker
        self.level = level
        self.fd = fd
        self.lock = threading.RLock()
        self.rest = ""
        self.cut = 0
        self.buffer = os.fdopen(os.dup(fd), "wb", 0)

    def writable(self):
        return True

    def fileno(self):
        return self.fd

    def write(self, text):
        if not isinstance(text, str):
            raise TypeError(f"write() argument must be str, not {type(text).__name__}")
        if self.worker.is_mute():
            return len(text)
        with self.worker.calm, self.lock:
            begin = 0
            while (end := text.find("\n", begin)) >= 0:
                self.take(text, begin, end)
                self.finish(even_empty=True)
                begin = end + 1
            self.take(text, begin, len(text))
        return len(text)

    def take(self, text, begin, end):
        room = self.worker.line_most - len(self.rest)
        self.rest += text[begin:min(end, begin + room)]
        self.cut += max(0, end - begin - room)

    def finish(self, even_empty=False):
        with self.worker.calm, self.lock:
            line, cut, self.rest, self.cut = self.rest, self.cut, "", 0
            if cut:
                line += f"… ({cut} more characters were cut)"
            if line or even_empty:
                self.worker.print(self.level, line)


class LogHandler(logging.Handler):
    """What scripts and libraries say by `logging`."""

    LEVELS = ((logging.ERROR, "error"), (logging.WARNING, "warning"), (logging.INFO, "info"))

    def __init__(self, worker):
        super().__init__()
        self.worker = worker

    def emit(self, record):
        level = next((name for least, name in self.LEVELS if record.levelno >= least), "debug")
        try:
            text = self.format(record)
        except Exception:
            return self.handleError(record)
        self.worker.print(level, text, logger=record.name[:200])


class Values:
    """Python's values as the gateway's JSON, within a limit."""

    DEEPEST = 50
    TEXT = 1000

    def __init__(self, most):
        self.left = most

    def spend(self, size):
        self.left -= size
        if self.left < 0:
            raise ValueError("the value is too large to be shown (`value_bytes`)")

    def text(self, text):
        self.spend(len(text) + 2)
        return text

    def of(self, value, depth=0):
        self.spend(8)
        if depth > self.DEEPEST:
            raise ValueError(f"the value is nested more than {self.DEEPEST} deep")
        if value is None or value is True or value is False:
            return value
        kind = type(value)
        if kind is str:
            return self.text(value)
        if kind is int:
            return self.integer(value)
        if kind is float:
            return value if math.isfinite(value) else {"$float": str(value)}
        if kind in (bytes, bytearray):
            self.spend(len(value) * 4 // 3)
            return {"$bytes": base64.b64encode(value).decode()}
        if kind in (list, tuple, set, frozenset, collections.deque):
            return [self.of(item, depth + 1) for item in value]
        if isinstance(value, dict) and kind in (dict, collections.OrderedDict, collections.defaultdict):
            return self.dict(value, depth)
        return self.instance(value, kind, depth)

    def integer(self, value):
        if -(1 << 63) <= value < 1 << 64:
            return value
        self.spend(value.bit_length() // 3)
        return {"$int": str(value)}

    def dict(self, value, depth):
        if all(type(key) is str and not key.startswith("$") for key in value):
            return {self.text(key): self.of(item, depth + 1) for key, item in value.items()}
        return {"$dict": [[self.of(key, depth + 1), self.of(item, depth + 1)] for key, item in value.items()]}

    def instance(self, value, kind, depth):
        state = getattr(value, "__dict__", None)
        state = state if type(state) is dict else {}
        shown = {"$class": self.text(f"{kind.__module__}.{kind.__qualname__}")}
        if isinstance(value, (type, types.ModuleType, types.FunctionType)) or not state:
            return shown | {"$text": self.text(repr(value)[: self.TEXT])}
        return shown | {self.text(str(key)): self.of(item, depth + 1) for key, item in state.items()}


class Worker:
    def __init__(self, fd, limits):
        self.calm = Calm()
        self.link = Link(fd, self.calm)
        self.pid = os.getpid()
        self.main = threading.get_ident()
        self.limits = limits
        self.line_most = limits["line_bytes"]
        self.orders = queue.SimpleQueue()
        self.asides = threading.Semaphore(limits["asides"])
        self.aside_threads = {}  # thread → when its time is over
        self.sources = {}  # file name → the lines of a script
        self.job = None
        self.file = None
        self.armed = False
        self.wanted = (None, None)  # "pause" or "stop" at the next line, and of which job
        self.unwanted = None  # the job that is to be stopped wherever it is
        self.go_on = threading.Event()
        self.prompts = {}  # id → [event, value]
        self.asking = threading.Lock()  # one question at a time
        self.count = 0
        self.output_left = 0
        self.fresh_namespace()

    def fresh_namespace(self):
        module = types.ModuleType("__main__")
        sys.modules["__main__"] = module
        self.namespace = module.__dict__
        self.namespace["__builtins__"] = builtins

    # ---- what happens goes out

    def is_mute(self):
        """Whether the script has printed too much."""
        return self.output_left < 0 and self.job is not None and threading.get_ident() not in self.aside_threads

    def print(self, level, text, logger="script"):
        if self.is_mute():
            return
        aside = threading.get_ident() in self.aside_threads
        job = None if aside else self.job
        if job is not None:
            self.output_left -= len(text) + 64
            if self.output_left < 0:
                level, text = "warning", "the script has printed too much; what it prints from here on is left out"
        self.link.say("log", job=job, level=level, logger=logger, text=text[: 4 * self.line_most])

    def ask(self, text=""):
        """In place of `input`."""
        for stream in (sys.stdout, sys.stderr):
            if isinstance(stream, Output):
                stream.finish()
        with self.asking:
            self.count += 1
            prompt = f"{self.job or 'aside'}-{self.count}"
            waiting = self.prompts[prompt] = [threading.Event(), None]
            try:
                self.link.say("prompt", job=self.job, prompt=prompt, text=str(text)[: self.line_most])
                # In turns, so that what is evaluated beside a script can be given up here, too.
                while not waiting[0].wait(0.5):
                    pass
            finally:
                self.prompts.pop(prompt, None)
                self.link.say("prompt-done", job=self.job, prompt=prompt)
        value = waiting[1]
        return value if isinstance(value, str) else json.dumps(value)

    # ---- the script, in the main thread

    def run_scripts(self):
        while True:
            order = self.orders.get()
            if order.get("fresh"):
                self.fresh_namespace()
            self.run(order["job"], order["name"], order["code"])
            if os.getpid() != self.pid:  # a fork that has come to the script's end
                os._exit(0)

    def run(self, job, name, code):
        self.file = f"<{name} {job[:8]}>"
        self.remember(self.file, code)
        self.job, self.output_left = job, self.limits["output_bytes"]
        done = {"outcome": "failed", "error": "the worker gave it up"}
        try:
            try:
                self.armed = True
                if self.unwanted == job:
                    raise Stopped
                if self.wanted[1] == job:
                    sys.settrace(self.trace)
                done = self.execute(code)
            finally:
                self.armed = False
                sys.settrace(None)
        except BaseException as raised:  # a stop that came late
            done = self.failure(raised)
        if os.getpid() != self.pid:
            return
        self.calm.due = False
        self.restore()
        self.job = None
        self.drain(job)
        self.link.say("done", job=job, **done)

    def drain(self, job):
        """A mark behind what other programs have printed, so that it is told before the end of the script."""
        for pipe in self.pipes:
            try:
                os.write(pipe, b"\x1e" + job.encode() + b"\x1e\n")
            except OSError:
                pass

    def execute(self, code):
        try:
            exec(compile(code, self.file, "exec", dont_inherit=True), self.namespace)
        except SystemExit as raised:
            if raised.code is None or raised.code == 0:
                return {"outcome": "succeeded"}
            return {"outcome": "failed", "error": f"the script exited with {raised.code!r}"[:1000]}
        except BaseException as raised:
            return self.failure(raised)
        return {"outcome": "succeeded"}

    def failure(self, raised):
        if isinstance(raised, Stopped):
            return {"outcome": "stopped", "error": "stopped", "traceback": self.traceback(raised)}
        return {"outcome": "failed", "error": describe(raised), "traceback": self.traceback(raised)}

    def traceback(self, raised):
        try:
            where = raised.__traceback__
            while where is not None and where.tb_frame.f_code.co_filename == __file__:
                where = where.tb_next
            text = "".join(traceback.format_exception(type(raised), raised, where))
            return text[-TRACEBACK:]
        except Exception as worse:
            return f"{type(raised).__name__}, whose traceback could not be written: {type(worse).__name__}"

    def remember(self, file, code):
        self.sources[file] = code
        while len(self.sources) > SOURCES:
            oldest = next(iter(self.sources))
            del self.sources[oldest]
            linecache.cache.pop(oldest, None)
        linecache.cache[file] = (len(code), None, [line + "\n" for line in code.split("\n")], file)

    def restore(self):
        """Puts back what a script may have replaced, before the next one."""
        for stream in (self.stdout, self.stderr):
            stream.finish()
        sys.stdout, sys.stderr = self.stdout, self.stderr
        builtins.input = self.ask
        sys.setrecursionlimit(1000)
        self.catch_signals()

    # ---- where it is, and how it is held

    def frames(self):
        """The script's frames, innermost first."""
        frame = sys._current_frames().get(self.main)
        while frame is not None:
            if frame.f_code.co_filename in self.sources:
                yield frame
            frame = frame.f_back

    def line(self):
        return next((frame.f_lineno for frame in self.frames() if frame.f_code.co_filename == self.file), None)

    def watch(self):
        """A thread: tells the line, and ends what is evaluated beside the script when its time is over."""
        told = None
        while True:
            time.sleep(LOOK_S)
            job = self.job
            line = self.line() if job and self.armed else None
            if line is not None and (job, line) != told:
                told = (job, line)
                self.link.say("line", job=job, line=line)
            now = time.monotonic()
            for thread, (over, raised) in list(self.aside_threads.items()):
                if now > over and not raised:
                    self.aside_threads[thread] = (over, True)
                    try:
                        raise_in(thread, TimeoutError)
                    except Exception:
                        pass  # no way to here: the gateway gives up by itself

    def catch_signals(self):
        signal.signal(signal.SIGUSR1, self.attend)
        signal.signal(signal.SIGINT, self.attend)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)

    def attend(self, number, frame):
        """The handler of signals: somebody wants something of the script that runs."""
        if not self.armed or os.getpid() != self.pid:
            return
        what, job = self.wanted
        if number == signal.SIGINT or (what == "stop" and self.prompts):
            self.wanted = (None, None)
            self.calm.stop()
        elif job == self.job:
            sys.settrace(self.trace)
            while frame is not None:
                if frame.f_code.co_filename in self.sources:
                    frame.f_trace = self.trace_line
                frame = frame.f_back

    def trace(self, frame, event, arg):
        return self.trace_line if frame.f_code.co_filename in self.sources else None

    def trace_line(self, frame, event, arg):
        if event != "line":
            return self.trace_line
        if self.wanted == ("pause", self.job):
            self.hold(frame.f_lineno)
        if self.wanted == ("stop", self.job):
            self.wanted = (None, None)
            raise Stopped
        sys.settrace(None)
        return None

    def hold(self, line):
        self.link.say("paused", job=self.job, line=line)
        self.go_on.wait()
        self.link.say("resumed", job=self.job)

    # ---- what is to be done comes in, in a thread of its own

    def listen(self):
        try:
            for line in self.link.lines():
                order = json.loads(line)
                getattr(self, "do_" + order["do"])(order)
        finally:
            # The gateway is gone, or the script has broken the way to it: nothing may go on unseen.
            try:
                os.killpg(os.getpgrp(), signal.SIGKILL)
            finally:
                os.kill(self.pid, signal.SIGKILL)

    def do_run(self, order):
        self.orders.put(order)

    def do_pause(self, order):
        self.go_on.clear()
        self.want("pause", order["job"])

    def do_stop(self, order):
        if order["now"]:
            self.unwanted = order["job"]
            if self.job == order["job"]:
                signal.pthread_kill(self.main, signal.SIGINT)
        else:
            self.want("stop", order["job"])
            self.go_on.set()

    def do_resume(self, order):
        if self.wanted == ("pause", order["job"]):
            self.wanted = (None, None)
        self.go_on.set()

    def want(self, what, job):
        self.wanted = (what, job)
        if self.job == job:
            signal.pthread_kill(self.main, signal.SIGUSR1)

    def do_answer(self, order):
        waiting = self.prompts.get(order["prompt"])
        if waiting:
            waiting[1] = order["value"]
            waiting[0].set()

    def do_eval(self, order):
        self.aside(order, lambda: {"value": self.evaluate(order["code"])})

    def do_exec(self, order):
        self.aside(order, lambda: self.statement(order["code"]))

    def do_complete(self, order):
        self.aside(order, lambda: self.complete(order["word"]))

    def do_trace(self, order):
        self.aside(order, self.where)

    def aside(self, order, work):
        if not self.asides.acquire(blocking=False):
            most = self.limits["asides"]
            message = f"{most} evaluations are under way already; wait until one has ended"
            return self.link.say("answer", id=order["id"], error={"kind": "busy", "message": message})
        try:
            threading.Thread(target=self.in_aside, args=(order, work), daemon=True).start()
        except RuntimeError:
            self.asides.release()
            message = "there is no room for another thread; the worker is out of memory"
            self.link.say("answer", id=order["id"], error={"kind": "busy", "message": message})

    def in_aside(self, order, work):
        thread = threading.get_ident()
        self.aside_threads[thread] = (time.monotonic() + order["seconds"], False)
        try:
            answer = {"ok": work()}
        except BaseException as raised:
            answer = {"error": {"kind": "invalid", "message": describe(raised)}}
        finally:
            for stream in (sys.stdout, sys.stderr):
                if self.job is None and isinstance(stream, Output):
                    stream.finish()
            self.aside_threads.pop(thread, None)
            self.asides.release()
        self.link.say("answer", id=order["id"], **answer)

    def evaluate(self, code):
        value = eval(compile(code.strip(), "<eval>", "eval", dont_inherit=True), self.namespace)
        return Values(self.limits["value_bytes"]).of(value)

    def statement(self, code):
        self.remember("<exec>", code)
        exec(compile(code, "<exec>", "exec", dont_inherit=True), self.namespace)

    def complete(self, word):
        word = re.split(r"[^\w.]", word)[-1]
        completer = rlcompleter.Completer(self.namespace)
        words = []
        for index in range(COMPLETIONS):
            found = completer.complete(word, index) if word else None
            if found is None:
                break
            words.append(found.rstrip("() "))
        return [word for word in dict.fromkeys(words) if len(word) <= 200]

    def where(self):
        frames = list(self.frames())
        if not frames:
            return None
        lines = (f'  File "{frame.f_code.co_filename}", line {frame.f_lineno}, in {frame.f_code.co_name}\n'
                 + f"    {linecache.getline(frame.f_code.co_filename, frame.f_lineno).strip()[:200]}\n"
                 for frame in reversed(frames[:100]))
        return "Traceback (most recent call last):\n" + "".join(lines)

    # ---- the beginning

    def after_fork(self):
        """In a child of the script: it has no way to the gateway; what it prints goes the way of other programs'."""
        for fd in (self.link.fd, self.lock_fd):
            try:
                os.close(fd)
            except OSError:
                pass
        sys.stdout = io.TextIOWrapper(os.fdopen(1, "wb", closefd=False), "utf-8", "replace", line_buffering=True)
        sys.stderr = io.TextIOWrapper(os.fdopen(2, "wb", closefd=False), "utf-8", "replace", line_buffering=True)
        builtins.input = no_input
        self.asking = threading.Lock()
        self.armed = False
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        signal.signal(signal.SIGUSR1, signal.SIG_DFL)

    def begin(self):
        os.makedirs(self.limits["work_folder"], exist_ok=True)
        os.chdir(self.limits["work_folder"])
        sys.path[:0] = self.limits["module_path"]
        self.pipes = [fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, 200) for fd in (1, 2)]
        self.stdout, self.stderr = Output(self, "info", 1), Output(self, "error", 2)
        logging.basicConfig(level=logging.INFO, format="%(message)s", handlers=[LogHandler(self)])
        self.restore()
        os.register_at_fork(after_in_child=self.after_fork)
        try:
            limit_process(self.limits)
        except (OSError, ValueError) as refused:
            self.print("warning", f"the limit on memory (`memory_mib`) cannot be set here: {refused}", logger="patchbay")
        for target in (self.listen, self.watch):
            threading.Thread(target=target, daemon=True).start()
        self.link.say("ready", python=".".join(map(str, sys.version_info[:3])), pid=self.pid)
        self.run_scripts()

    def take_lock(self):
        """Only one worker at a time: one that a killed gateway has left behind has to be gone first."""
        self.lock_fd = fcntl.fcntl(os.open(self.limits["lock"], os.O_RDWR | os.O_CREAT, 0o600), fcntl.F_DUPFD_CLOEXEC, 200)
        try:
            fcntl.flock(self.lock_fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self.link.say("waiting", pid=os.pread(self.lock_fd, 20, 0).decode("ascii", "replace").strip())
            fcntl.flock(self.lock_fd, fcntl.LOCK_EX)
        os.ftruncate(self.lock_fd, 0)
        os.pwrite(self.lock_fd, str(self.pid).encode(), 0)


def no_input(text=""):
    raise EOFError("a child of the script cannot ask anybody")


def describe(raised):
    """`NameError: name 'x' is not defined`, and for a mistake in the syntax the line."""
    try:
        if isinstance(raised, TimeoutError) and not raised.args:
            return "it took too long, and was given up (`eval_seconds`)"
        text = "".join(traceback.format_exception_only(type(raised), raised)[-1:]).strip()
        if isinstance(raised, SyntaxError) and raised.lineno:
            text += f" (line {raised.lineno})"
        return text[:4000]
    except Exception:
        return type(raised).__name__


def raise_in(thread, exception):
    import ctypes

    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread), ctypes.py_object(exception))


def limit_process(limits):
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    most = limits["memory_bytes"]
    if most:
        hard = resource.getrlimit(resource.RLIMIT_AS)[1]
        most = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(resource.RLIMIT_AS, (most, most))


def take_link():
    """Standard input is the socket; scripts get an empty one in its place."""
    fd = fcntl.fcntl(0, fcntl.F_DUPFD_CLOEXEC, 200)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    return fd


if __name__ == "__main__":
    limits = json.loads(sys.argv.pop())
    worker = Worker(take_link(), limits)
    worker.take_lock()
    worker.begin()
