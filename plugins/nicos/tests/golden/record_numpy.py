"""Records pickles of NumPy values, with the JSON expected of them: `python record_numpy.py > numpy.txt`.

Needs NumPy; with NumPy 2 the module names differ (`numpy._core`), which is worth recording too.
"""

import base64
import pickle

import numpy as np

VALUES = {
    "scalars": ([np.float64(1.5), np.int32(-3), np.bool_(True), np.float32(0.1)], "[1.5,-3,true,0.1]"),
    "matrix": (np.array([[1, 2, 3], [4, 5, 6]], "<i4"), "[[1,2,3],[4,5,6]]"),
    "fortran": (np.asfortranarray(np.array([[1, 2, 3], [4, 5, 6]], "<i2")), "[[1,2,3],[4,5,6]]"),
    "fortran_cube": (np.asfortranarray(np.arange(24, dtype="i8").reshape(2, 3, 4)),
                     "[[[0,1,2,3],[4,5,6,7],[8,9,10,11]],[[12,13,14,15],[16,17,18,19],[20,21,22,23]]]"),
    "big_endian": (np.array([1, -2], ">i2"), "[1,-2]"),
    "not_finite": (np.array([np.nan, 1.0, -np.inf]), '[{"$float":"nan"},1.0,{"$float":"-inf"}]'),
    "empty": (np.zeros((2, 0)), "[]"),
    "no_dimension": (np.array(7, "u8"), "7"),
    "largest": (np.array([2**64 - 1], "u8"), "[18446744073709551615]"),
    "text": (np.array(["ab", "c"]),
             '{"$class":"numpy.ndarray","dtype":"<U2","shape":[2],"data":{"$bytes":"YQAAAGIAAABjAAAAAAAAAA=="}}'),
    "objects": (np.array(["ab", None], object), '["ab",null]'),
    "cube": (np.arange(8, dtype="u1").reshape(2, 2, 2), "[[[0,1],[2,3]],[[4,5],[6,7]]]"),
}

print(f"# NumPy {np.__version__}")
for name, (value, json) in VALUES.items():
    for protocol in (0, 2, 4, 5):
        print(name, protocol, base64.b64encode(pickle.dumps(value, protocol)).decode(), json)
