"""Models that the exam makes itself: of scikit-learn, and int8 ones by the runtime's quantisation of published models."""

import numpy as np
from onnxruntime.quantization import CalibrationDataReader, QuantType, quantize_dynamic, quantize_static
from skl2onnx import to_onnx
from skl2onnx.common.data_types import StringTensorType
from sklearn.compose import ColumnTransformer
from sklearn.datasets import load_diabetes, load_iris
from sklearn.ensemble import GradientBoostingRegressor, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

COLOURS = np.array([["red"], ["green"], ["blue"]] * 50)


def forest(_cache, target):
    x, y = load_iris(return_X_y=True)
    fitted = RandomForestClassifier(20, random_state=0).fit(x, y)
    save(to_onnx(fitted, x[:1].astype(np.float32), options={"zipmap": False}), target)


def logistic(_cache, target):
    """As scikit-learn's users export it first: the probabilities are a sequence of maps."""
    x, y = load_iris(return_X_y=True)
    fitted = make_pipeline(StandardScaler(), LogisticRegression()).fit(x, y)
    save(to_onnx(fitted, x[:1].astype(np.float32)), target)


def boosting(_cache, target):
    x, y = load_diabetes(return_X_y=True)
    fitted = GradientBoostingRegressor(random_state=0).fit(x, y)
    save(to_onnx(fitted, x[:1].astype(np.float32)), target)


def strings(_cache, target):
    """Strings in, strings out."""
    encoder = OneHotEncoder(handle_unknown="ignore", sparse_output=False)
    columns = ColumnTransformer([("colour", encoder, [0])])
    fitted = make_pipeline(columns, LogisticRegression()).fit(COLOURS, COLOURS[:, 0])
    inputs = [("colour", StringTensorType([None, 1]))]
    save(to_onnx(fitted, initial_types=inputs, options={"zipmap": False}), target)


def dynamic_encoder(cache, target):
    quantize_dynamic(cache / "arabic-encoder.onnx", target, weight_type=QuantType.QInt8)


class Noise(CalibrationDataReader):
    def __init__(self, name, shape, count):
        random = np.random.default_rng(0)
        self.rows = iter([{name: random.normal(size=shape).astype(np.float32)} for _ in range(count)])

    def get_next(self):
        return next(self.rows, None)


def static_embedding(cache, target):
    reader = Noise("input_1", (2, 76, 32, 1), 8)
    quantize_static(cache / "speech-embedding.onnx", target, reader)


def save(model, target):
    target.write_bytes(model.SerializeToString())


MAKERS = {
    "sklearn-forest": ("scikit-learn", forest),
    "sklearn-logistic-zipmap": ("scikit-learn", logistic),
    "sklearn-boosting": ("scikit-learn", boosting),
    "sklearn-strings": ("scikit-learn", strings),
    "arabic-encoder-int8": ("quantize_dynamic", dynamic_encoder),
    "speech-embedding-int8": ("quantize_static", static_embedding),
}
