import protobuf from 'protobufjs/light.js';

/** Rows of `name: [type, number]`; `repeated` types end in `[]`. */
type Fields = Readonly<Record<string, readonly [type: string, id: number]>>;

function message(fields: Fields): protobuf.IType {
  const entries = Object.entries(fields).map(([name, [type, id]]) => {
    const isList = type.endsWith('[]');
    const field = { type: isList ? type.slice(0, -2) : type, id };
    return [name, isList ? { ...field, rule: 'repeated' } : field];
  });
  return { fields: Object.fromEntries(entries) };
}

const DURATION = 'StatisticDuration';

/** What the questions to a server take of the protocol's messages. Fields that are not here are skipped. */
const ROOT = protobuf.Root.fromJSON({
  nested: {
    /** ModelMetadataRequest and ModelStatisticsRequest; empty it is every other. */
    Request: message({ name: ['string', 1], version: ['string', 2] }),
    ServerMetadataResponse: message({ name: ['string', 1], version: ['string', 2] }),
    TensorMetadata: message({
      name: ['string', 1],
      datatype: ['string', 2],
      shape: ['int64[]', 3],
    }),
    ModelMetadataResponse: message({
      name: ['string', 1],
      versions: ['string[]', 2],
      platform: ['string', 3],
      inputs: ['TensorMetadata[]', 4],
      outputs: ['TensorMetadata[]', 5],
    }),
    [DURATION]: message({ count: ['uint64', 1], ns: ['uint64', 2] }),
    InferStatistics: message({
      success: [DURATION, 1],
      queue: [DURATION, 3],
      compute_input: [DURATION, 4],
      compute_infer: [DURATION, 5],
      compute_output: [DURATION, 6],
    }),
    ModelStatistics: message({
      name: ['string', 1],
      version: ['string', 2],
      execution_count: ['uint64', 5],
      inference_stats: ['InferStatistics', 6],
    }),
    ModelStatisticsResponse: message({ model_stats: ['ModelStatistics[]', 1] }),
    ModelIndex: message({ name: ['string', 1], version: ['string', 2] }),
    RepositoryIndexResponse: message({ models: ['ModelIndex[]', 1] }),
  },
});

export type ResponseName =
  | 'ServerMetadataResponse'
  | 'ModelMetadataResponse'
  | 'ModelStatisticsResponse'
  | 'RepositoryIndexResponse';

/** A request about a model or a version of it; about none: for what is asked of the server. */
export function encodeRequest(about: {
  readonly name?: string;
  readonly version?: string;
}): Buffer {
  const type = ROOT.lookupType('Request');
  return Buffer.from(type.encode(type.create(about)).finish());
}

/** An answer with the fields of the protocol's JSON, all of them, whether they were sent or not. Throws where it is malformed. */
export function decodeResponse(name: ResponseName, body: Buffer): unknown {
  const type = ROOT.lookupType(name);
  return type.toObject(type.decode(body), { longs: Number, defaults: true, arrays: true });
}
