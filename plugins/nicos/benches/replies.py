"""Makes replies for the benchmark and times Python with them.

A line `make NAME` is answered by the reply as base64; a line `time NAME COUNT` by the nanoseconds that reading it and writing
it as JSON takes, on average of so many times.
"""

import base64
import json
import pickle
import random
import sys
import time
import uuid

SIZE = 1 << 20
random.seed(7)

TEXTS = [
    ">>> [user 2026-11-22 10:00:05]  scan(mot, 0, 1, 11, t=1)\n",
    "starting scan:      scan(mot, 0, 1, 11, t=1)\n",
    "Filename(s): /data/2026/service/data/00001234.dat\n",
    "   {}/11 | {:.4f} | {:.4f} | {} | {}\n",
    "moving to {:.3f} mm\n",
    "mot   :     {:.3f} mm   \u2192 limits \u00b1{:.1f}\u00b0\n",
    "=" * 100 + "\n",
    "count rate is {:.1f}/s, \"monitor\" {}\n",
]
TRACE = 'Traceback (most recent call last):\n  File "<script>", line {}, in <module>\nNameError: name \'x\' is not defined\n'


def numbers():
    return [random.choice((random.random() * 1000, random.randrange(100000))) for _ in range(5)]


def messages():
    """As `getmessages` gives them: [logger, time, level, text, traceback, id of the request]."""
    made, now, request = [], 1795341605.0, None
    loggers = ["nicos", "mot", "det", "axis"]
    while len(made) % 500 or len(pickle.dumps(made, 2)) < SIZE:
        if len(made) % 40 == 0:
            request = str(uuid.UUID(int=random.getrandbits(128)))
        now += random.random()
        failed = random.random() < 0.02
        text = random.choice(TEXTS)
        text = text.format(*(number if "." in text else int(number) for number in numbers()))
        trace = TRACE.format(len(made)) if failed else None
        made.append([random.choice(loggers), now, 40 if failed else 20, text, trace, request])
    return made


def points():
    """As the results of a scan: rows of floats and integers."""
    return [[random.random() * 100, random.gauss(0, 1), random.randrange(10**6), random.randrange(200)] for _ in range(34000)]


REPLIES = {"messages": pickle.dumps(messages(), 2), "points": pickle.dumps(points(), 2)}

for line in sys.stdin:
    what, name, *count = line.split()
    payload = REPLIES[name]
    if what == "make":
        print(base64.b64encode(payload).decode(), flush=True)
        continue
    count = int(count[0])
    began = time.perf_counter_ns()
    for _ in range(count):
        json.dumps(pickle.loads(payload))
    print((time.perf_counter_ns() - began) // count, flush=True)
