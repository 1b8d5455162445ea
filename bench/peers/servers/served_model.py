"""The model that every Python server here runs: the same ONNX file with the same settings, one row or many at once."""

import sys

import numpy as np
import onnxruntime


class ServedModel:
    def __init__(self, file):
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        options.add_session_config_entry("session.inter_op.allow_spinning", "0")
        self._session = onnxruntime.InferenceSession(
            file, options, providers=["CPUExecutionProvider"]
        )
        self.input = self._session.get_inputs()[0]
        self.output = self._session.get_outputs()[0]
        self.row_shape = tuple(self.input.shape[1:])

    def run(self, rows):
        """Rows of FP32, first dimension the batch, in and out."""
        return self._session.run([self.output.name], {self.input.name: rows})[0]

    def row(self, data):
        """One row from its little-endian bytes."""
        return np.frombuffer(data, dtype=np.float32).reshape(1, *self.row_shape)

    def run_all(self, rows):
        """Runs many requests' rows as one batch and splits the answer again."""
        sizes = [len(each) for each in rows]
        answers = self.run(np.concatenate(rows) if len(rows) > 1 else rows[0])
        return np.split(answers, np.cumsum(sizes)[:-1])


def arguments():
    """The command line that the drivers write: FILE PORT FORM [ROWS_MAX WAIT_S], and the gRPC port where there is one."""
    file, port, form, rows_max, wait_s, grpc_port = sys.argv[1:7]
    return file, int(port), form, int(rows_max), float(wait_s), int(grpc_port)
