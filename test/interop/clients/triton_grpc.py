"""tritonclient over gRPC: single calls."""

import numpy as np
import tritonclient.grpc as triton
from tritonclient.utils import InferenceServerException

from claims import claim, main, raises
from tensors import COUNT, EDGES, ONES, assert_same, identity


def connect(server):
    return triton.InferenceServerClient(server.grpc)


def tensor(name, values, datatype):
    given = triton.InferInput(name, list(values.shape), datatype)
    given.set_data_from_numpy(values)
    return given


def sum_inputs():
    return [tensor("INPUT0", COUNT, "INT32"), tensor("INPUT1", ONES, "INT32")]


def assert_sums(result):
    assert_same(result.as_numpy("OUTPUT0"), COUNT + ONES)
    assert_same(result.as_numpy("OUTPUT1"), COUNT - ONES)


@claim("the server is live and ready, and so is a model and a version of it")
def health(server):
    with connect(server) as client:
        assert client.is_server_live() and client.is_server_ready()
        assert client.is_model_ready("simple") and client.is_model_ready("simple", "1")


@claim("server metadata, model metadata and model configuration have what the client reads")
def metadata(server):
    with connect(server) as client:
        assert client.get_server_metadata().name == "triton"
        model = client.get_model_metadata("simple")
        assert model.name == "simple" and list(model.versions) == ["1"], model
        assert list(model.inputs[0].shape) == [-1, 16], model
        config = client.get_model_config("simple", as_json=True)["config"]
        assert config["max_batch_size"] == 8, config
        assert config["input"][0]["data_type"] == "TYPE_INT32", config


@claim("the metadata of an unknown model is refused by name")
def unknown_model(server):
    with connect(server) as client:
        error = raises(
            InferenceServerException,
            lambda: client.get_model_metadata("nobody"),
            says=["Request for unknown model", "nobody"],
        )
        assert error.status() == "StatusCode.NOT_FOUND", error.status()


@claim("sums and differences, with the request's id and the version that answered")
def sums(server):
    with connect(server) as client:
        result = client.infer("simple", sum_inputs(), request_id="7")
        assert_sums(result)
        response = result.get_response()
        assert response.id == "7" and response.model_version == "1", response


@claim("only the outputs asked for come back")
def one_output(server):
    with connect(server) as client:
        wanted = [triton.InferRequestedOutput("OUTPUT1")]
        result = client.infer("simple", sum_inputs(), outputs=wanted)
        assert_same(result.as_numpy("OUTPUT1"), COUNT - ONES)
        assert result.as_numpy("OUTPUT0") is None


for datatype, values in EDGES.items():

    @claim(f"{datatype} comes back as it went")
    def edges(server, datatype=datatype, values=values):
        with connect(server) as client:
            result = client.infer(identity(datatype), [tensor("x", values, datatype)])
            assert_same(result.as_numpy("y"), values)


@claim("a message of 16 MB goes and comes")
def large(server):
    values = np.random.default_rng(1).random((1, 4_000_000), dtype=np.float32)
    with connect(server) as client:
        result = client.infer(identity("FP32"), [tensor("x", values, "FP32")])
        assert_same(result.as_numpy("y"), values)


for algorithm in ("gzip", "deflate"):

    @claim(f"{algorithm} is taken")
    def compressed(server, algorithm=algorithm):
        with connect(server) as client:
            assert_sums(client.infer("simple", sum_inputs(), compression_algorithm=algorithm))


@claim("classification gives the best classes with their labels")
def classification(server):
    scores = np.array([[0.1, 0.7, 0.2]], dtype=np.float32)
    wanted = [triton.InferRequestedOutput("y", class_count=2)]
    with connect(server) as client:
        result = client.infer("classes", [tensor("x", scores, "FP32")], outputs=wanted)
        assert_same(result.as_numpy("y"), np.array([[b"0.700000:1:dog", b"0.200000:2:fish"]], dtype=np.object_))


@claim("requests sent at once are all answered, each with its own answer")
def at_once(server):
    from queue import Queue

    answers = Queue()
    with connect(server) as client:
        for number in range(64):
            values = np.full((1, 16), number, dtype=np.int32)
            inputs = [tensor("INPUT0", values, "INT32"), tensor("INPUT1", ONES, "INT32")]
            client.async_infer(
                "simple", inputs, lambda result, error: answers.put((result, error)), request_id=str(number)
            )
        for _ in range(64):
            result, error = answers.get(timeout=30)
            assert error is None, error
            number = int(result.get_response().id)
            assert_same(result.as_numpy("OUTPUT0"), np.full((1, 16), number + 1, dtype=np.int32))


@claim("a deadline that cannot be kept ends the call")
def deadline(server):
    with connect(server) as client:
        raises(
            InferenceServerException,
            lambda: client.infer("simple", sum_inputs(), client_timeout=0.000001),
            # The status and not the words: who says it first, the client or the server, is a matter of microseconds.
            says=["StatusCode.DEADLINE_EXCEEDED"],
        )


@claim("custom parameters, a priority and a timeout are taken")
def parameters(server):
    with connect(server) as client:
        result = client.infer(
            "simple", sum_inputs(), priority=1, timeout=5_000_000, parameters={"colour": "red", "n": 3}
        )
        assert_sums(result)


@claim("a wrong shape is refused with what was expected and found")
def wrong_shape(server):
    short = np.ones((1, 15), dtype=np.int32)
    with connect(server) as client:
        inputs = [tensor("INPUT0", short, "INT32"), tensor("INPUT1", short, "INT32")]
        error = raises(
            InferenceServerException,
            lambda: client.infer("simple", inputs),
            says=["unexpected shape for input 'INPUT0' for model 'simple'", "[-1,16]", "[1,15]"],
        )
        assert error.status() == "StatusCode.INVALID_ARGUMENT", error.status()


@claim("statistics count what was answered")
def statistics(server):
    with connect(server) as client:
        before = client.get_inference_statistics("simple").model_stats[0].inference_count
        client.infer("simple", sum_inputs())
        after = client.get_inference_statistics("simple", "1").model_stats[0]
        assert after.inference_count == before + 1, (before, after)
        assert after.inference_stats.success.ns > 0, after


@claim("log settings are read and changed; there is no log file to choose")
def log_settings(server):
    with connect(server) as client:
        was = client.get_log_settings().settings["log_info"].bool_param
        assert client.update_log_settings({"log_info": False}).settings["log_info"].bool_param is False
        client.update_log_settings({"log_info": was})
        raises(
            InferenceServerException,
            lambda: client.update_log_settings({"log_file": "here.log"}),
            says=["log file location can not be updated through network protocol"],
        )


@claim("trace settings are read, and tracing is off")
def trace_settings(server):
    with connect(server) as client:
        assert list(client.get_trace_settings().settings["trace_level"].value) == ["OFF"]
        raises(
            InferenceServerException,
            lambda: client.update_trace_settings(settings={"trace_file": "here.json"}),
            says=["trace file location can not be updated through network protocol"],
        )


@claim("shared memory is refused, and none is registered")
def shared_memory(server):
    with connect(server) as client:
        assert not client.get_system_shared_memory_status().regions
        assert not client.get_cuda_shared_memory_status().regions
        raises(
            InferenceServerException,
            lambda: client.register_system_shared_memory("a", "/test_shm", 64),
            says=["Unable to open shared memory region: '/test_shm'"],
        )


if __name__ == "__main__":
    main()
