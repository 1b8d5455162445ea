import type { FastifyReply, FastifyRequest } from 'fastify';
import type { TensorSpec } from '../../core/tensor.ts';
import type { ModelMetadata, Readiness } from '../../gateway/describe-model.ts';
import type { Service } from '../service.ts';
import type { ModelParams } from './infer-route.ts';

/** The parts of the protocol beyond its core that are really served. */
const EXTENSIONS = ['binary_tensor_data'] as const;

type ModelCall = FastifyRequest<{ Params: ModelParams }>;

type AboutService = Pick<Service, 'gateway' | 'serverName' | 'serverVersion'>;

/** The routes that tell about the server and its models: health and metadata. */
export function createAboutRoutes({ gateway, serverName, serverVersion }: AboutService) {
  return {
    server: async () => ({ name: serverName, version: serverVersion, extensions: EXTENSIONS }),
    live: async () => ({ live: true }),
    ready: async (_: FastifyRequest, reply: FastifyReply) => {
      const readiness = gateway.serverReadiness();
      return answer(reply, readiness, { live: true, ready: readiness.ready });
    },
    model: async (http: ModelCall) =>
      metadataBody(gateway.metadata(http.params.model, http.params.version)),
    modelReady: async (http: ModelCall, reply: FastifyReply) => {
      const { model, version: wanted } = http.params;
      const readiness = gateway.modelReadiness(model, wanted);
      return answer(reply, readiness, { name: model, ready: readiness.ready });
    },
  };
}

/** 200 where ready, else 503 with the reason: clients look at the status, people at the reason. */
function answer<Body extends object>(
  reply: FastifyReply,
  { ready, reason }: Readiness,
  body: Body,
): Body | (Body & { error: string }) {
  if (ready) return body;
  reply.code(503);
  return { ...body, error: reason ?? 'not ready' };
}

function metadataBody({ name, versions, platform, inputs, outputs }: ModelMetadata) {
  return {
    name,
    versions,
    platform,
    inputs: inputs.map(tensorBody),
    outputs: outputs.map(tensorBody),
  };
}

function tensorBody({ name, dtype, shape }: TensorSpec) {
  return { name, datatype: dtype, shape };
}
