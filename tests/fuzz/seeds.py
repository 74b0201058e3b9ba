"""Fills `corpus/` with what to begin from: the decoder's bombs and recorded payloads, a frame or two of each kind, and what
the broker's clients can put into theirs."""

import base64
import pathlib
import pickle

here = pathlib.Path(__file__).parent
tests = here / "../../plugins/nicos/tests"


def write(target, seeds):
    folder = here / "corpus" / target
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in seeds.items():
        (folder / name).write_bytes(content)


def recorded():
    lines = (tests / "golden/numpy.txt").read_text().splitlines()
    fields = (line.split(" ") for line in lines if not line.startswith("#"))
    return {f"numpy-{name}-{protocol}": base64.b64decode(payload) for name, protocol, payload, _ in fields}


VALUES = {
    "numbers": [0, -1, 2**70, 1.5, float("nan"), True, None],
    "texts": ["", "\u20ac\udc80", b"\xff", {"a": {1: (2,)}}, {"$x": {3}}],
    "error": NameError("no x"),
}
SMALL, LONG = b"\x80\x02N.", bytes(100)


def sized(head, content):
    return head + len(content).to_bytes(4, "big") + content


bombs = {file.stem: file.read_bytes() for file in (tests / "bombs").glob("*.pickle")}
values = {
    f"{name}-{protocol}": pickle.dumps(value, protocol) for name, value in VALUES.items() for protocol in range(6)
}
write("pickle", bombs | recorded() | values)
write("reply_frames", {
    "all": b"\x06" + sized(b"\x03", SMALL) + sized(b"\x15", SMALL) + sized(b"\x03", LONG) + b"\x06",
    "unbelievable": b"\x06\x03\xff\xff\xff\xff",
    "stray": b"\x06\x05",
})
write("event_frames", {
    "all": sized(b"\x03\x10\x01\x00", SMALL) + sized(sized(b"\x03\x10\x0d\x02", SMALL), b"blob") + bytes(4),
    "long": sized(b"\x03\x10\x01\x00", LONG) + sized(sized(b"\x03\x10\x0d\x01", SMALL), LONG) + b"\x03",
})

MESSAGE = (
    b"MESSAGE\ndestination:/queue/q\nmessage-id:ID\\ch-1\\c1\nsubscription:s\nack:a\\c1\n"
)


def message(body, *headers):
    return MESSAGE + b"".join(header + b"\n" for header in headers) + b"\n" + body + b"\0\n"


write("stomp_frames", {
    "plain": b"\n\nCONNECTED\nversion:1.2\nheart-beat:5000,5000\nserver:ActiveMQ/5.17.2\n\n\0\n" + message(b"hello") + message(b"again"),
    "receipt": b"RECEIPT\nreceipt-id:7\n\n\0\n\n\n" + message(b""),
    "error": b"ERROR\nmessage:temp-queue\\c//ID\\c1\nreceipt-id:7\n\njava.lang.X: gone\n\tat a.b.C\0\n",
    "counted": message(b"a\0b", b"content-length:3") + message(b"x", b"content-length:1"),
    "length-short": message(b"abcdef", b"content-length:2") + message(b"next"),
    "length-long": message(b"abc", b"content-length:40") + message(b"next"),
    "length-beyond": message(b"abc", b"content-length:99999999999") + message(b"n", b"content-length:x"),
    "long": message(bytes(b"y" * 300)) + message(b"z" * 200, b"content-length:200"),
    "skipped-early": message(b"y" * 100, b"content-length:900") + message(b"next"),
    "escapes": message(b"x", b"p:\\n\\r\\c\\\\\\q\\") + message(b"x", b"p:a\rb"),
    "endless-header": b"MESSAGE\nx:" + b"y" * 1200,
    "many-headers": message(b"x", *(b"h%d:v" % number for number in range(60))),
    "forged": message(b"x", b"ack:other", b"subscription:other") + message(b"x", b"", b"MESSAGE", b"ack:1"),
    "unusable": b"MESSAGE\nack:a\\c1\n\nx\0\nBROWSE\n\n\0\n" + message(b"next"),
    "java-text": message(b"\xed\xa0\xbd\xed\xb8\x80\xc0\x80"),
})
