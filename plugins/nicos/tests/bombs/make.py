"""Writes the bombs beside it: small pickles that ask for much, or for what must not be done.

What becomes of each stands in `../pickle_bombs.rs`.
"""

import pathlib
import struct


def text(content):
    return b"X" + struct.pack("<I", len(content)) + content


def nested(open_, close, levels):
    return b"\x80\x02" + open_ * levels + close * (levels - 1) + b"."


def levels_of_ten(levels):
    level = b"q\x00(" + b"h\x00" * 10 + b"t"
    return b"\x80\x02(K\x01" + level * levels + b"t."


def long_text_often():
    return b"\x80\x02(" + text(b"x" * 16384) + b"q\x00" + b"h\x00" * 2000 + b"t."


DTYPE = b"cnumpy\ndtype\n" + text(b"u1") + b"\x85R"


def array(shape, data):
    """An array of bytes that claims this shape, by `_reconstruct` as NumPy writes it."""
    sizes = b"(" + b"".join(b"\x8a\x08" + struct.pack("<q", size) for size in shape) + b"t"
    head = b"\x80\x03cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\nK\x00\x85C\x01btR"
    return head + b"(K\x01" + sizes + DTYPE + b"\x89B" + struct.pack("<I", len(data)) + data + b"tb."


def array_often():
    buffer = b"B" + struct.pack("<I", 16384) + bytes(16384)
    shape = b"(" + b"J" + struct.pack("<i", 16384) + b"t"
    made = b"cnumpy.core.numeric\n_frombuffer\n(" + buffer + DTYPE + shape + text(b"C") + b"tRq\x00"
    return b"\x80\x03(" + made + b"h\x00" * 2000 + b"t."


BOMBS = {
    # Values that are much larger than their pickle.
    "nested_lists": nested(b"]", b"a", 2000),
    "nested_tuples": b"\x80\x02)" + b"\x85" * 2000 + b".",
    "nested_dicts": b"\x80\x02" + b"}N" * 2000 + b"}" + b"s" * 2000 + b".",
    "nested_dict_keys": b"\x80\x02)" + b"\x85" * 99 + b"q\x000}h\x00Ns.",
    "nested_instances": b"\x80\x02N" + b"\x85q\x000cm\nC\nh\x00R" * 2000 + b".",
    "nested_calls": b"\x80\x02" + b"cm\nC\n)R" + b")R" * 2000 + b".",
    "doubled_tuples": b"\x80\x02K\x01" + b"2\x86" * 30 + b".",
    "billion_laughs": levels_of_ten(12),
    "long_text_often": long_text_often(),
    "long_bytes_often": long_text_often().replace(b"\x80\x02(X", b"\x80\x03(B"),
    "control_characters_often": long_text_often().replace(b"x" * 16384, b"\x01" * 16384),
    "stray_bytes_often": long_text_often().replace(b"x" * 16384, b"\xff" * 16384),
    "long_class_name_often": b"\x80\x02(c" + b"m" * 1000 + b"\n" + b"C" * 1000 + b"\n)Rq\x00" + b"h\x00" * 20000 + b"t.",
    "array_often": array_often(),
    # Values that contain themselves.
    "list_in_itself": b"\x80\x02]q\x00h\x00a.",
    "dict_in_itself": b"\x80\x02}q\x00" + text(b"a") + b"h\x00s.",
    "dict_as_its_own_key": b"\x80\x02}q\x00h\x00Ns.",
    "tuple_in_itself": b"\x80\x02]q\x00h\x00\x85q\x01a0h\x01.",
    "instance_in_itself": b"\x80\x02cm\nC\n)\x81q\x00}" + text(b"a") + b"h\x00sb.",
    "state_that_is_its_instance": b"\x80\x02cm\nC\n)\x81q\x00h\x00b.",
    "exception_in_itself": b"\x80\x02]q\x00cexceptions\nValueError\nh\x00\x85Ra.",
    # Numbers.
    "ten_thousand_digits": b"L" + b"9" * 10000 + b"L\n.",
    "ten_thousand_zeros": b"I" + b"0" * 10000 + b"\n.",
    "octal_or_not": b"L007L\n.",
    "integer_of_ten_thousand_bytes": b"\x80\x02\x8b" + struct.pack("<I", 10000) + b"\x07" * 10000 + b".",
    "integer_of_negative_length": b"\x80\x02\x8b\xff\xff\xff\xff\x00.",
    "float_of_many_digits": b"F" + b"1" * 10000 + b"e" + b"9" * 10000 + b"\n.",
    # Lengths that lie.
    "text_of_four_gigabytes": b"\x80\x02X\xff\xff\xff\xffabc.",
    "bytes_of_eighteen_exabytes": b"\x80\x04\x8e" + b"\xff" * 8 + b"abc.",
    "frame_of_eighteen_exabytes": b"\x80\x04\x95" + b"\xff" * 8 + b"N.",
    "array_of_exabytes": array([2**62], b"\x00"),
    "array_whose_size_overflows": array([2**32, 2**32, 2**32], b""),
    "array_of_huge_emptiness": array([2**62, 0], b""),
    "array_of_negative_size": array([-1], b"\x00"),
    "array_of_many_dimensions": array([1] * 1000, b"\x00"),
    "array_of_sixty_four_dimensions": array([1] * 64, b"\x07"),
    # The memo.
    "memo_index_of_four_billion": b"\x80\x02K\x05r\xff\xff\xff\xff0j\xff\xff\xff\xff.",
    "memo_index_of_many_digits": b"K\x05p" + b"9" * 10000 + b"\n.",
    "memo_of_nothing": b"\x80\x02h\x00.",
    # What would be done by Python.
    "command": b"cos\nsystem\n(S'touch /tmp/patchbay-was-here'\ntR.",
    "evaluation": b"\x80\x02c__builtin__\neval\n" + text(b"__import__('os').abort()") + b"\x85R.",
    "attribute_of_a_class": b"\x80\x02cm\nC\n}" + text(b"a") + b"K\x01sb.",
    "call_of_a_text": b"\x80\x02" + text(b"os.system") + b")R.",
    "persistent_id": b"Pid\n.",
    "extension": b"\x80\x02\x82\x01.",
    "buffer_outside": b"\x80\x05\x97.",
    # No pickles at all.
    "empty": b"",
    "only_a_header": b"\x80\x02",
    "newest_protocol": b"\x80\xffN.",
    "json": b'{"status": [0, 1]}',
    "two_pickles": b"\x80\x02N.\x80\x02N.",
    "left_over_value": b"\x80\x02NN.",
    "left_over_mark": b"\x80\x02N(.",
}

here = pathlib.Path(__file__).parent
for old in here.glob("*.pickle"):
    old.unlink()
for name, payload in BOMBS.items():
    (here / f"{name}.pickle").write_bytes(payload)
