import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { parseExamplesQuery, parseUnit } from '../config/examples-request.ts';
import type { ExampleSetting } from '../core/example-setting.ts';
import type { CommandBy } from '../core/rollout.ts';
import type { Tensor } from '../core/tensor.ts';
import { BODY_PARTS, type BodyPart, type ExampleHead } from '../examples/example.ts';
import type { ExampleStore } from '../examples/example-store.ts';
import { LABEL, OPERATE } from './admin-door.ts';

/** The kept examples of all models, as the admin API sees them. */
export type KeptExamples = {
  readonly of: (
    model: string,
  ) => Pick<ExampleStore, 'list' | 'get' | 'body' | 'forget' | 'bytes' | 'lost'>;
  readonly setting: (model: string) => ExampleSetting;
  /** A unit's examples were deleted: for the ledger, which does not learn the unit. */
  readonly onForgotten: (forgotten: {
    readonly model: string;
    readonly examples: number;
    readonly by: CommandBy;
  }) => void;
};

export type ExampleRoutesOptions = {
  /** Undefined: none are kept here. */
  readonly examples: KeptExamples | undefined;
  /** The model's latest rollout. */
  readonly latestRollout: (model: string) => string | undefined;
  readonly byOf: (request: FastifyRequest) => CommandBy;
  /** @throws ServeError where there is no such model. */
  readonly checkModel: (model: string) => void;
};

/** An example as the API shows it: without the hash of its unit and its place in the sample. */
export type ExampleView = Omit<ExampleHead, 'unit' | 'keys' | 'seen'>;

type OfModel = { readonly Params: { readonly model: string } };
type OfExample = { readonly Params: { readonly model: string; readonly id: string } };
type OfPart = { readonly Params: OfExample['Params'] & { readonly part: string } };

const PATH = '/api/v1/models/:model/examples';

/** Adds what reads and deletes the examples of a model. */
export function addExampleRoutes(app: FastifyInstance, options: ExampleRoutesOptions): void {
  const { examples, latestRollout, byOf, checkModel } = options;
  app.get<OfModel>(PATH, LABEL, async ({ params: { model }, query }) => {
    const { rollout, ...asked } = parseExamplesQuery(query);
    checkModel(model);
    const store = examples?.of(model);
    const { keep, bytesMax } = examples?.setting(model) ?? { keep: 'off', bytesMax: 0 };
    const rolloutId = rollout === 'latest' ? latestRollout(model) : rollout;
    const isNone = rollout === 'latest' && rolloutId === undefined;
    const found = isNone ? [] : (store?.list({ ...asked, rolloutId }) ?? []);
    const { bytes = 0, lost = 0 } = store ?? {};
    return { keep, bytes, bytesMax, lost, examples: found.map(viewOf) };
  });
  app.get<OfExample>(`${PATH}/:id`, LABEL, async ({ params: { model, id } }, reply) => {
    checkModel(model);
    const head = examples?.of(model).get(id);
    return head === undefined ? missing(reply, `no example ${id} of ${model}`) : viewOf(head);
  });
  app.get<OfPart>(`${PATH}/:id/:part`, LABEL, async ({ params }, reply) => {
    const { model, id, part } = params;
    checkModel(model);
    if (!isPart(part))
      return missing(reply, `expected one of ${BODY_PARTS.join(', ')}, found ${part}`);
    const body = await examples?.of(model).body(id);
    if (body === undefined)
      return missing(reply, `no tensors of an example ${id} of ${model} are kept`);
    return sendTensors(reply, body[part], part);
  });
  app.delete<OfModel>(PATH, OPERATE, async (request) => {
    const { model } = request.params;
    const unit = parseUnit(request.query);
    checkModel(model);
    const forgotten = (await examples?.of(model).forget(unit)) ?? 0;
    examples?.onForgotten({ model, examples: forgotten, by: byOf(request) });
    return { forgotten };
  });
}

function viewOf({ unit: _, keys: __, seen: ___, ...view }: ExampleHead): ExampleView {
  return view;
}

function isPart(text: string): text is BodyPart {
  return (BODY_PARTS as readonly string[]).includes(text);
}

function missing(reply: FastifyReply, error: string): FastifyReply {
  return reply.code(404).send({ error, code: 'not_found' });
}

/**
 * As the protocol's binary tensor data extension has it: JSON, its length in `inference-header-content-length`, and the bytes of the
 * tensors behind it. What was asked can so be sent to the data plane as it comes.
 */
function sendTensors(
  reply: FastifyReply,
  tensors: readonly Tensor[],
  part: BodyPart,
): FastifyReply {
  const list = tensors.map(({ name, dtype, shape, data }) => ({
    ...{ name, datatype: dtype, shape },
    parameters: { binary_data_size: data.byteLength },
  }));
  const head = Buffer.from(
    JSON.stringify(part === 'request' ? { inputs: list } : { outputs: list }),
  );
  return reply
    .header('inference-header-content-length', head.byteLength)
    .header('content-type', 'application/octet-stream')
    .header('x-content-type-options', 'nosniff')
    .header('cache-control', 'no-store')
    .send(Buffer.concat([head, ...tensors.map(({ data }) => data)]));
}
