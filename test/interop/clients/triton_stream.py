"""tritonclient over a gRPC stream: many requests on one call."""

from queue import Queue

import numpy as np
import tritonclient.grpc as triton
from tritonclient.utils import InferenceServerException

from claims import claim, expect_text, main
from tensors import ONES, assert_same


def tensor(name, values):
    given = triton.InferInput(name, list(values.shape), "INT32")
    given.set_data_from_numpy(values)
    return given


def inputs_of(number, columns=16):
    values = np.full((1, columns), number, dtype=np.int32)
    return [tensor("INPUT0", values), tensor("INPUT1", ONES[:, :columns])]


class Stream:
    """One stream, and what came back on it, in order."""

    def __init__(self, server, **options):
        self.answers = Queue()
        self.client = triton.InferenceServerClient(server.grpc)
        self.options = options

    def __enter__(self):
        self.client.start_stream(lambda result, error: self.answers.put((result, error)), **self.options)
        return self

    def __exit__(self, *_):
        self.client.stop_stream()
        self.client.close()

    def send(self, number, columns=16, **options):
        self.client.async_stream_infer(
            "simple", inputs_of(number, columns), request_id=str(number), **options
        )

    def next(self):
        return self.answers.get(timeout=30)


@claim("answers come in the order of the requests")
def in_order(server):
    with Stream(server) as stream:
        for number in range(1, 101):
            stream.send(number)
        for number in range(1, 101):
            result, error = stream.next()
            assert error is None, error
            assert result.get_response().id == str(number), (number, result.get_response().id)
            assert_same(result.as_numpy("OUTPUT0"), np.full((1, 16), number + 1, dtype=np.int32))


@claim("a bad request is answered by its id, and the stream continues")
def bad_request(server):
    with Stream(server) as stream:
        stream.send(1)
        stream.send(2, columns=15)
        stream.send(3)
        assert stream.next()[1] is None
        _, error = stream.next()
        expect_text(error, ["unexpected shape", "[request id: 2]"])
        result, error = stream.next()
        assert error is None and result.get_response().id == "3", error


@claim("with triton_grpc_error, a bad request ends the stream with its status")
def strict_stream(server):
    with Stream(server, headers={"triton_grpc_error": "true"}) as stream:
        stream.send(1, columns=15)
        _, error = stream.next()
        assert isinstance(error, InferenceServerException), error
        assert error.status() == "StatusCode.INVALID_ARGUMENT", error.status()


@claim("an empty final answer is marked where it is asked for")
def final_answer(server):
    with Stream(server) as stream:
        stream.send(1, enable_empty_final_response=True)
        result, error = stream.next()
        assert error is None, error
        response = result.get_response()
        assert response.parameters["triton_final_response"].bool_param is True, response
        assert len(response.outputs) == 2, response


@claim("requests of a sequence are answered by one version")
def sequence(server):
    with Stream(server) as stream:
        for number in range(1, 6):
            stream.send(
                number, sequence_id=42, sequence_start=number == 1, sequence_end=number == 5
            )
        versions = {stream.next()[0].get_response().model_version for _ in range(5)}
        assert versions == {"1"}, versions


if __name__ == "__main__":
    main()
