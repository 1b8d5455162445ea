"""An MLServer runtime: https://docs.seldon.ai/mlserver/user-guide/custom"""

from mlserver import MLModel
from mlserver.codecs import NumpyCodec
from mlserver.types import InferenceResponse
from served_model import ServedModel


class Served(MLModel):
    async def load(self):
        self.model = ServedModel(self.settings.parameters.uri)
        return True

    async def predict(self, payload):
        rows = NumpyCodec.decode_input(payload.inputs[0])
        answers = self.model.run(rows)
        output = NumpyCodec.encode_output(self.model.output.name, answers)
        return InferenceResponse(
            id=payload.id, model_name=self.name, outputs=[output]
        )
