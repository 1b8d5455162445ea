import type { FastifyReply } from 'fastify';
import { ServeError } from '../../core/errors.ts';
import type { TensorSpec } from '../../core/tensor.ts';
import type { ModelMetadata, Readiness } from '../../gateway/describe-model.ts';
import { EXTENSIONS } from '../extensions.ts';
import { modelConfigOf } from '../model-config.ts';
import { INFER, INFER_ANY, OPEN } from '../needs.ts';
import type { Service } from '../service.ts';
import { modelStatsOf } from '../statistics.ts';
import type { AskerOf } from './caller-door.ts';
import { type Call, get, post, type RestRoute } from './route.ts';

/** What the server says about itself and about all models. */
export function serverRoutes(service: Service, askerOf: AskerOf): readonly RestRoute[] {
  const { gateway, serverName: name, serverVersion: version, statistics } = service;
  return [
    get('/v2', INFER_ANY, async () => ({ name, version, extensions: EXTENSIONS })),
    get('/v2/health/live', OPEN, async () => ({ live: true })),
    get('/v2/health/ready', OPEN, async (_, reply) => {
      const readiness = gateway.serverReadiness();
      return answer(reply, readiness, { live: true, ready: readiness.ready });
    }),
    // Takes precedence over the metadata of a model named `stats`, which `/v2/models/stats/versions/:version` answers.
    get('/v2/models/stats', INFER_ANY, async ({ raw }) => {
      const asker = askerOf(raw);
      const seen = statistics().filter(({ model }) => asker.may('infer', model));
      return { model_stats: seen.map(modelStatsOf) };
    }),
  ];
}

type ModelCall = Call<'model' | 'version'>;

/** What the answer says about the model, or the version of it, that `url` stands for. */
export function modelRoutes(url: string, service: Service): readonly RestRoute[] {
  const { gateway } = service;
  return [
    get(url, INFER, async ({ params }: ModelCall) =>
      metadataBody(gateway.metadata(params.model, params.version)),
    ),
    get(`${url}/ready`, INFER, async ({ params }: ModelCall, reply) => {
      const readiness = gateway.modelReadiness(params.model, params.version);
      return answer(reply, readiness, { name: params.model, ready: readiness.ready });
    }),
    get(`${url}/config`, INFER, async ({ params }: ModelCall) =>
      modelConfigOf(params.model, gateway.version(params.model, params.version)),
    ),
    get(`${url}/stats`, INFER, async ({ params }: ModelCall) => statisticsBody(service, params)),
    post(`${url}/generate`, INFER, refuseGeneration),
    post(`${url}/generate_stream`, INFER, refuseGeneration),
  ];
}

/** 200 where ready, else 503 with the reason: clients look at the status, operators at the reason. */
function answer<Body extends object>(
  reply: FastifyReply,
  { ready, reason }: Readiness,
  body: Body,
): Body | (Body & { error: string }) {
  if (ready) return body;
  reply.code(503);
  return { ...body, error: reason ?? 'not ready' };
}

function metadataBody({ name, versions, platform, inputs, outputs, properties }: ModelMetadata) {
  return {
    name,
    versions,
    platform,
    inputs: inputs.map(tensorBody),
    outputs: outputs.map(tensorBody),
    ...(Object.keys(properties).length > 0 ? { properties } : {}),
  };
}

function tensorBody({ name, dtype, shape }: TensorSpec) {
  return { name, datatype: dtype, shape };
}

/** Of one version, or of all that the model has. A name that there is none of is refused, not answered with nothing. */
function statisticsBody({ gateway, statistics }: Service, { model, version }: ModelCall['params']) {
  const state = gateway.version(model, version);
  const wanted = version === undefined ? undefined : state.version;
  return { model_stats: statistics(model, wanted).map(modelStatsOf) };
}

async function refuseGeneration({ params, url }: ModelCall): Promise<never> {
  const { model } = params;
  throw new ServeError(
    'unsupported',
    `text generation is not served: expected POST /v2/models/${model}/infer, found ${url.slice(0, 200)}`,
  );
}
