"""KServe's own clients, REST and gRPC."""

import numpy as np
from kserve import InferenceGRPCClient, InferenceRESTClient, InferInput, InferRequest, RESTConfig

from claims import claim, main
from tensors import COUNT, ONES, assert_same, identity


def rest():
    return InferenceRESTClient(RESTConfig(protocol="v2", retries=0))


def base_url(server):
    return f"http://{server.http}"


def request(*, binary):
    inputs = []
    for name, values in (("INPUT0", COUNT), ("INPUT1", ONES)):
        given = InferInput(name, list(values.shape), "INT32")
        given.set_data_from_numpy(values, binary_data=binary)
        inputs.append(given)
    return InferRequest(model_name="simple", infer_inputs=inputs, request_id="7")


def assert_sums(response):
    found = {output.name: output.as_numpy() for output in response.outputs}
    assert_same(found["OUTPUT0"], COUNT + ONES)
    assert_same(found["OUTPUT1"], COUNT - ONES)
    assert response.id == "7", response.to_dict()


@claim("REST: the server is live and ready, and so is a model")
async def rest_health(server):
    client = rest()
    assert await client.is_server_live(base_url(server))
    assert await client.is_server_ready(base_url(server))
    assert await client.is_model_ready(base_url(server), "simple")
    await client.close()


for binary in (True, False):

    @claim(f"REST: sums and differences, binary {binary}")
    async def rest_infer(server, binary=binary):
        client = rest()
        assert_sums(await client.infer(base_url(server), request(binary=binary), model_name="simple"))
        await client.close()


@claim("gRPC: the server is live and ready, and so is a model")
async def grpc_health(server):
    client = InferenceGRPCClient(server.grpc, retries=0)
    assert await client.is_server_live()
    assert await client.is_server_ready()
    assert await client.is_model_ready("simple")
    await client.close()


for binary in (True, False):

    @claim(f"gRPC: sums and differences, raw {binary}")
    async def grpc_infer(server, binary=binary):
        client = InferenceGRPCClient(server.grpc, retries=0)
        response = await client.infer(request(binary=binary))
        assert_sums(response)
        if not binary:
            assert response.outputs[0].data == (COUNT + ONES).ravel().tolist(), response.to_dict()
        # Over REST this client forgets the version that answered.
        assert response.model_version == "1", response.to_dict()
        await client.close()


@claim("gRPC: lists of numbers as the client takes them, read from `data` again")
async def grpc_lists(server):
    client = InferenceGRPCClient(server.grpc, retries=0)
    for datatype, values in (("FP32", [1.5, -2.0]), ("INT64", [-(2**62), 3]), ("BOOL", [True, False])):
        given = InferInput("x", [1, 2], datatype, data=values)
        response = await client.infer(InferRequest(model_name=identity(datatype), infer_inputs=[given]))
        assert response.outputs[0].data == values, response.to_dict()
        assert response.outputs[0].as_numpy().ravel().tolist() == values
    await client.close()


if __name__ == "__main__":
    main()
