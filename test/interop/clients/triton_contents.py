"""tritonclient's gRPC messages, filled by hand: typed contents go, both forms come."""

import grpc
import numpy as np
from tritonclient.grpc import InferResult, service_pb2, service_pb2_grpc

from claims import claim, main
from tensors import EDGES, assert_same, identity

FIELDS = {
    "BOOL": "bool_contents",
    "INT8": "int_contents",
    "INT16": "int_contents",
    "INT32": "int_contents",
    "INT64": "int64_contents",
    "UINT8": "uint_contents",
    "UINT16": "uint_contents",
    "UINT32": "uint_contents",
    "UINT64": "uint64_contents",
    "FP32": "fp32_contents",
    "FP64": "fp64_contents",
    "BYTES": "bytes_contents",
}


def request_of(datatype, values, **parts):
    given = service_pb2.ModelInferRequest.InferInputTensor(name="x", datatype=datatype, shape=values.shape)
    getattr(given.contents, FIELDS[datatype]).extend(values.ravel().tolist())
    return service_pb2.ModelInferRequest(model_name=identity(datatype), inputs=[given], **parts)


def ask(server, request):
    with grpc.insecure_channel(server.grpc) as channel:
        return service_pb2_grpc.GRPCInferenceServiceStub(channel).ModelInfer(request)


for datatype, values in EDGES.items():
    if datatype not in FIELDS:
        continue

    @claim(f"{datatype} in contents: the raw form and the typed one are what went")
    def contents(server, datatype=datatype, values=values):
        response = ask(server, request_of(datatype, values))
        assert_same(InferResult(response).as_numpy("y"), values)
        typed = list(getattr(response.outputs[0].contents, FIELDS[datatype]))
        assert_same(np.array(typed, dtype=values.dtype).reshape(values.shape), values)


@claim("asked for only those outputs that it names, with classes of them")
def classes(server):
    values = np.array([[0.25, 0.5, 0.125]], dtype=np.float32)
    wanted = service_pb2.ModelInferRequest.InferRequestedOutputTensor(name="y")
    wanted.parameters["classification"].int64_param = 2
    request = request_of("FP32", values, outputs=[wanted])
    request.model_name = "classes"
    response = ask(server, request)
    expected = [b"0.500000:1:dog", b"0.250000:0:cat"]
    assert list(response.outputs[0].contents.bytes_contents) == expected, response
    assert InferResult(response).as_numpy("y").ravel().tolist() == expected, response


if __name__ == "__main__":
    main()
