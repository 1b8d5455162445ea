"""What all clients send, so that their answers can be compared."""

import numpy as np

ONES = np.ones((1, 16), dtype=np.int32)
COUNT = np.arange(16, dtype=np.int32).reshape(1, 16)

# A value of each kind that is easily lost on the way: the ends of the range, what a double cannot hold, NaN and -0.
EDGES = {
    "BOOL": np.array([[True, False, True]]),
    "UINT8": np.array([[0, 1, 255]], dtype=np.uint8),
    "UINT16": np.array([[0, 1, 65535]], dtype=np.uint16),
    "UINT32": np.array([[0, 1, 2**32 - 1]], dtype=np.uint32),
    "UINT64": np.array([[0, 2**53 + 1, 2**64 - 1]], dtype=np.uint64),
    "INT8": np.array([[-128, 0, 127]], dtype=np.int8),
    "INT16": np.array([[-(2**15), 0, 2**15 - 1]], dtype=np.int16),
    "INT32": np.array([[-(2**31), 0, 2**31 - 1]], dtype=np.int32),
    "INT64": np.array([[-(2**63), 2**53 + 1, 2**63 - 1]], dtype=np.int64),
    "FP16": np.array([[-0.0, 65504, 5.96e-08]], dtype=np.float16),
    "FP32": np.array([[-0.0, 3.4028235e38, 1e-45]], dtype=np.float32),
    "FP64": np.array([[-0.0, 1.7976931348623157e308, 5e-324]], dtype=np.float64),
    "BYTES": np.array([[b"", "z\u00fcrich \u6771\u4eac".encode(), b"\x01 a"]], dtype=np.object_),
}

# JSON has no bytes, only text.
TEXTS = np.array([["", "z\u00fcrich \u6771\u4eac", 'a "quoted"\n\u0001']], dtype=np.object_)


def identity(datatype):
    """The model that gives its input back."""
    return f"identity_{datatype.lower()}"


def assert_same(found, sent):
    """Equal to the last bit, -0 and NaN included."""
    assert found is not None, "expected an output, found none"
    assert found.shape == sent.shape, f"expected shape {sent.shape}, found {found.shape}"
    if sent.dtype == np.object_:
        expected = [item if isinstance(item, bytes) else item.encode() for item in sent.flatten()]
        actual = [item if isinstance(item, bytes) else item.encode() for item in found.flatten()]
        assert actual == expected, f"expected {expected}, found {actual}"
        return
    assert found.dtype == sent.dtype, f"expected {sent.dtype}, found {found.dtype}"
    assert found.tobytes() == sent.tobytes(), f"expected {sent}, found {found}"
