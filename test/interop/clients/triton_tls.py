"""tritonclient over TLS: HTTP, gRPC and both with asyncio, with a private authority and a certificate of the client."""

import os
import ssl

import numpy as np
import tritonclient.grpc as grpc
import tritonclient.grpc.aio as grpc_aio
import tritonclient.http as http
import tritonclient.http.aio as http_aio
from tritonclient.utils import InferenceServerException

from claims import claim, main, raises

FOLDER = os.environ["CERTIFICATES"]
CA, CERTIFICATE, KEY = (os.path.join(FOLDER, name) for name in ("ca.crt", "client.crt", "client.key"))
TRUST = {"ca_certs": CA}
OURS = {**TRUST, "certfile": CERTIFICATE, "keyfile": KEY}
GRPC_OURS = {"root_certificates": CA, "certificate_chain": CERTIFICATE, "private_key": KEY}


def image(parts):
    one = parts.InferInput("image", [1, 1, 28, 28], "FP32")
    one.set_data_from_numpy(np.zeros((1, 1, 28, 28), np.float32))
    return [one]


def assert_answer(result):
    assert result.as_numpy("probabilities").shape == (1, 10), result.get_response()


@claim("HTTP: a client that trusts the authority and shows a certificate is served")
def over_http(server):
    with http.InferenceServerClient(server.http, ssl=True, ssl_options=OURS) as client:
        assert client.is_server_ready() and client.is_model_ready("fashion")
        for _ in range(20):
            assert_answer(client.infer("fashion", image(http)))


@claim("HTTP: a client without a certificate gets health and nothing else")
def http_without(server):
    with http.InferenceServerClient(server.http, ssl=True, ssl_options=TRUST) as client:
        assert client.is_server_live()
        error = raises(InferenceServerException, lambda: client.infer("fashion", image(http)), says=["401"])
        assert error.status() == "401", error.status()


@claim("HTTP: a client that does not know the authority sends nothing")
def http_stranger(server):
    with http.InferenceServerClient(server.http, ssl=True) as client:
        raises(ssl.SSLError, client.is_server_live, says=["CERTIFICATE_VERIFY_FAILED"])


@claim("gRPC: a client that trusts the authority and shows a certificate is served, in a stream too")
def over_grpc(server):
    with grpc.InferenceServerClient(server.grpc, ssl=True, **GRPC_OURS) as client:
        assert client.is_server_ready() and client.is_model_ready("fashion")
        for _ in range(20):
            assert_answer(client.infer("fashion", image(grpc)))
        answers = []
        client.start_stream(lambda result, error: answers.append((result, error)))
        for _ in range(5):
            client.async_stream_infer("fashion", image(grpc))
        client.stop_stream()
        assert len(answers) == 5, answers
        for result, error in answers:
            assert error is None, error
            assert_answer(result)


@claim("gRPC: a client without a certificate gets health and nothing else")
def grpc_without(server):
    with grpc.InferenceServerClient(server.grpc, ssl=True, root_certificates=CA) as client:
        assert client.is_server_live()
        error = raises(
            InferenceServerException, lambda: client.infer("fashion", image(grpc)), says=["UNAUTHENTICATED"]
        )
        assert error.status() == "StatusCode.UNAUTHENTICATED", error.status()


@claim("gRPC: a client that does not know the authority, or speaks no TLS, reaches nothing")
def grpc_stranger(server):
    for options in ({"ssl": True}, {}):
        with grpc.InferenceServerClient(server.grpc, **options) as client:
            raises(
                InferenceServerException,
                lambda: client.get_server_metadata(client_timeout=10),
                says=["UNAVAILABLE"],
            )


@claim("asyncio: both wires are served")
async def with_asyncio(server):
    context = ssl.create_default_context(cafile=CA)
    context.load_cert_chain(CERTIFICATE, KEY)
    async with http_aio.InferenceServerClient(server.http, ssl=True, ssl_context=context) as client:
        assert_answer(await client.infer("fashion", image(http)))
    async with grpc_aio.InferenceServerClient(server.grpc, ssl=True, **GRPC_OURS) as client:
        assert_answer(await client.infer("fashion", image(grpc)))


main()
