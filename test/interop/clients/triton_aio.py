"""tritonclient with asyncio, over HTTP and over gRPC."""

import asyncio

import numpy as np
import tritonclient.grpc as grpc_parts
import tritonclient.grpc.aio as grpc
import tritonclient.http as http_parts
import tritonclient.http.aio as http

from claims import claim, main
from tensors import COUNT, ONES, assert_same


def sum_inputs(parts):
    inputs = [parts.InferInput(name, [1, 16], "INT32") for name in ("INPUT0", "INPUT1")]
    inputs[0].set_data_from_numpy(COUNT)
    inputs[1].set_data_from_numpy(ONES)
    return inputs


@claim("HTTP: requests at once are all answered")
async def over_http(server):
    async with http.InferenceServerClient(server.http) as client:
        assert await client.is_server_ready()
        assert (await client.get_model_metadata("simple"))["name"] == "simple"
        calls = [client.infer("simple", sum_inputs(http_parts)) for _ in range(16)]
        for result in await asyncio.gather(*calls):
            assert_same(result.as_numpy("OUTPUT0"), COUNT + ONES)


@claim("gRPC: requests at once are all answered")
async def over_grpc(server):
    async with grpc.InferenceServerClient(server.grpc) as client:
        assert await client.is_server_ready()
        calls = [client.infer("simple", sum_inputs(grpc_parts)) for _ in range(16)]
        for result in await asyncio.gather(*calls):
            assert_same(result.as_numpy("OUTPUT1"), COUNT - ONES)


@claim("gRPC: a stream of requests is answered in order")
async def over_stream(server):
    async def requests():
        for number in range(20):
            values = np.full((1, 16), number, dtype=np.int32)
            inputs = sum_inputs(grpc_parts)
            inputs[0].set_data_from_numpy(values)
            yield {"model_name": "simple", "inputs": inputs, "request_id": str(number)}

    async with grpc.InferenceServerClient(server.grpc) as client:
        seen = []
        async for result, error in client.stream_infer(requests()):
            assert error is None, error
            seen.append(result.get_response().id)
        assert seen == [str(number) for number in range(20)], seen


if __name__ == "__main__":
    main()
