"""
BentoML with its adaptive batching (JSON, https://docs.bentoml.com/en/latest/get-started/adaptive-batching.html), and with
raw bytes through an ASGI app (https://docs.bentoml.com/en/latest/build-with-bentoml/asgi.html). What a peer's command line
would say stands in the environment: `bentoml serve` has a command line of its own.
"""

import os
from typing import Annotated

import bentoml
import numpy as np
from bentoml.validators import DType
from served_model import ServedModel
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

FILE = os.environ["PEER_MODEL"]
ROWS_MAX = int(os.environ["PEER_ROWS_MAX"])


async def infer_raw(request: Request):
    model = bentoml.get_current_service().model
    rows = model.run(model.row(await request.body()))
    return Response(rows.tobytes(), media_type="application/octet-stream")


raw = Starlette(routes=[Route("/infer", infer_raw, methods=["POST"])])


@bentoml.service(
    workers=1,
    logging={"access": {"enabled": False}},
    metrics={"enabled": False},
)
@bentoml.asgi_app(raw, path="/raw")
class Served:
    def __init__(self):
        self.model = ServedModel(FILE)

    @bentoml.api(batchable=True, max_batch_size=ROWS_MAX)
    def infer(
        self, x: Annotated[np.ndarray, DType("float32")]
    ) -> Annotated[np.ndarray, DType("float32")]:
        return self.model.run(x)
