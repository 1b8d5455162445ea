import { InferenceSession, Tensor } from 'onnxruntime-node';
import { bytesOf, type Datatype, isDatatype, pack, unpack } from '../conformance/wire/datatype.ts';
import type { KitTensor } from '../conformance/wire/tensor.ts';

/** What the runtime calls datatypes, and the lists that it takes them in. */
const RUNTIME_TYPES = {
  BOOL: ['bool', Uint8Array],
  UINT8: ['uint8', Uint8Array],
  UINT16: ['uint16', Uint16Array],
  UINT32: ['uint32', Uint32Array],
  UINT64: ['uint64', BigUint64Array],
  INT8: ['int8', Int8Array],
  INT16: ['int16', Int16Array],
  INT32: ['int32', Int32Array],
  INT64: ['int64', BigInt64Array],
  FP16: ['float16', Uint16Array],
  FP32: ['float32', Float32Array],
  FP64: ['float64', Float64Array],
} as const;

type Fixed = keyof typeof RUNTIME_TYPES;

/** The runtime alone, with no gateway around it: one request, one run. */
export class Lone {
  readonly #session: InferenceSession;

  private constructor(session: InferenceSession) {
    this.#session = session;
  }

  /** Rejects where the runtime refuses the model. */
  static async open(bytes: Uint8Array): Promise<Lone> {
    const options = { intraOpNumThreads: 1, interOpNumThreads: 1, logSeverityLevel: 4 } as const;
    return new Lone(await InferenceSession.create(bytes, options));
  }

  /** Rejects where the model refuses the inputs. */
  async answer(inputs: readonly KitTensor[]): Promise<readonly KitTensor[]> {
    const feeds = Object.fromEntries(inputs.map((input) => [input.name, toRuntime(input)]));
    const results = await this.#session.run(feeds);
    return this.#session.outputNames.map((name) => {
      const result = results[name];
      if (result === undefined) throw new Error(`no output ${name}`);
      return fromRuntime(name, result);
    });
  }

  async close(): Promise<void> {
    await this.#session.release();
  }
}

function toRuntime({ datatype, shape, bytes }: KitTensor): Tensor {
  if (datatype === 'BYTES') {
    const texts = unpack(datatype, bytes).map((value) => Buffer.from(bytesOf(value)).toString());
    return new Tensor('string', texts, shape);
  }
  if (datatype === 'BF16') throw new Error('the runtime exchanges no BF16');
  const [type, List] = RUNTIME_TYPES[datatype];
  const whole = Uint8Array.from(bytes).buffer;
  return new Tensor(type, new List(whole) as Tensor['data'] & Uint8Array, shape);
}

function fromRuntime(name: string, { type, dims: shape, data }: Tensor): KitTensor {
  if (type === 'string') {
    const datatype: Datatype = 'BYTES';
    return { name, datatype, shape, bytes: pack(datatype, data as string[]) };
  }
  const found = Object.entries(RUNTIME_TYPES).find(([, [its]]) => its === type)?.[0];
  if (found === undefined || !isDatatype(found)) throw new Error(`${name}: type ${type}`);
  const list = data as Exclude<typeof data, string[]>;
  const bytes = Uint8Array.from(new Uint8Array(list.buffer, list.byteOffset, list.byteLength));
  return { name, datatype: found satisfies Datatype as Fixed, shape, bytes };
}
