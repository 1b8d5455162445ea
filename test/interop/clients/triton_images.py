"""What Triton's image clients read of a model before they send an image, and the models of its quick start."""

import numpy as np
import tritonclient.grpc as rpc
import tritonclient.grpc.model_config_pb2 as mc
import tritonclient.http as rest

from claims import claim, main
from tensors import assert_same

IMAGE = np.array([[[1, 2], [3, 4]], [[10, 10], [10, 10]], [[0, 0], [0, 4]]], dtype=np.float32)
MEANS = np.array([2.5, 10, 1], dtype=np.float32)


def over_rest(server):
    return rest, rest.InferenceServerClient(server.http)


def over_grpc(server):
    return rpc, rpc.InferenceServerClient(server.grpc)


def described(wire, client, model):
    """Metadata and configuration as dictionaries, as the client of each wire gives them."""
    if wire is rest:
        return client.get_model_metadata(model), client.get_model_config(model)
    config = client.get_model_config(model, as_json=True)["config"]
    return client.get_model_metadata(model, as_json=True), config


def parse_model(metadata, config):
    """As Triton's image_client: what it refuses is an error here too."""
    assert len(metadata["inputs"]) == 1 and len(metadata["outputs"]) == 1, metadata
    assert len(config["input"]) == 1, config
    given, taken = metadata["inputs"][0], metadata["outputs"][0]
    assert taken["datatype"] == "FP32", taken
    batched = int(config.get("max_batch_size", 0)) > 0
    sizes = [int(size) for size in taken["shape"]][1 if batched else 0 :]
    assert sum(size > 1 for size in sizes) <= 1, f"expected a vector of classes, found {sizes}"
    shape = [int(size) for size in given["shape"]]
    assert len(shape) == 3 + batched, f"expected an image, found {shape}"
    layout = mc.ModelInput.Format.Value(config["input"][0]["format"])
    assert layout in (mc.ModelInput.FORMAT_NCHW, mc.ModelInput.FORMAT_NHWC), layout
    return given["name"], taken["name"], shape, layout


def tensor(wire, name, values, datatype="FP32"):
    given = wire.InferInput(name, list(values.shape), datatype)
    given.set_data_from_numpy(values)
    return given


for connect in (over_rest, over_grpc):
    named = connect.__name__.replace("_", " ")

    @claim(f"{named}: an image client finds layout and shape of the quick start's densenet")
    def densenet(server, connect=connect):
        wire, client = connect(server)
        name, output, shape, layout = parse_model(*described(wire, client, "densenet_onnx"))
        assert (name, output, shape) == ("data_0", "fc6_1", [3, 2, 2]), (name, output, shape)
        assert layout == mc.ModelInput.FORMAT_NCHW, layout
        result = client.infer("densenet_onnx", [tensor(wire, name, IMAGE)])
        assert_same(result.as_numpy(output), MEANS)

    @claim(f"{named}: and its best classes, with the labels of the file that it names")
    def classes(server, connect=connect):
        wire, client = connect(server)
        wanted = [wire.InferRequestedOutput("fc6_1", class_count=2)]
        result = client.infer("densenet_onnx", [tensor(wire, "data_0", IMAGE)], outputs=wanted)
        expected = np.array([b"10.000000:1:dog", b"2.500000:0:cat"], dtype=np.object_)
        assert_same(result.as_numpy("fc6_1"), expected)

    @claim(f"{named}: an input that the model has a value for is given or left out")
    def optional(server, connect=connect):
        wire, client = connect(server)
        x = tensor(wire, "x", np.array([[1, 2]], dtype=np.float32))
        factor = tensor(wire, "factor", np.array([10], dtype=np.float32))
        alone = client.infer("scaling", [x]).as_numpy("y")
        assert_same(alone, np.array([[2, 4]], dtype=np.float32))
        given = client.infer("scaling", [x, factor]).as_numpy("y")
        assert_same(given, np.array([[10, 20]], dtype=np.float32))
        _, config = described(wire, client, "scaling")
        found = {each["name"]: each.get("optional", False) for each in config["input"]}
        assert found == {"x": False, "factor": True}, found


if __name__ == "__main__":
    main()
