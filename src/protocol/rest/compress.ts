import { promisify } from 'node:util';
import { constants, deflate, gzip } from 'node:zlib';

import type { Encoding } from './body-encoding.ts';
import type { Encoded } from './encode.ts';

/** A smaller answer fits a packet or two as it is. */
const BODY_BYTES_MIN = 1_024;

/** The caller waits for it: the fastest level saves most of what any does. */
const OPTIONS = { level: constants.Z_BEST_SPEED, chunkSize: 65_536 };

const COMPRESS = { gzip: promisify(gzip), deflate: promisify(deflate) } as const;

/** An answer with the header `content-encoding` that its body now has; undefined for one that stayed as it was. */
export type Compressed = {
  readonly body: string | Buffer;
  readonly contentEncoding: Encoding | undefined;
  /** True where another `accept-encoding` would have had another answer: for the header `vary`. */
  readonly varies: boolean;
};

/** Compresses an answer's body in the thread pool if the caller asked for that and it is worth it. */
export async function compress(
  { body }: Pick<Encoded, 'body'>,
  acceptEncoding: string | undefined,
): Promise<Compressed> {
  const varies = body.length >= BODY_BYTES_MIN;
  const contentEncoding = varies ? preferred(acceptEncoding) : undefined;
  if (contentEncoding === undefined) return { body, contentEncoding, varies };
  return { body: await COMPRESS[contentEncoding](body, OPTIONS), contentEncoding, varies };
}

/** The encoding that the caller likes best, gzip where it likes both alike; undefined where it likes none, or none better. */
export function preferred(acceptEncoding: string | undefined): Encoding | undefined {
  if (acceptEncoding === undefined) return undefined;
  const weights = weightsOf(acceptEncoding);
  const others = weights.get('*') ?? 0;
  const gzipWeight = weights.get('gzip') ?? weights.get('x-gzip') ?? others;
  const deflateWeight = weights.get('deflate') ?? others;
  const best = Math.max(gzipWeight, deflateWeight);
  if (best === 0 || best < (weights.get('identity') ?? 0)) return undefined;
  return gzipWeight === best ? 'gzip' : 'deflate';
}

/** RFC 9110, 12.5.3: names with weights from 0 to 1, which are 1 where nothing is said. What cannot be read counts as 0. */
function weightsOf(acceptEncoding: string): ReadonlyMap<string, number> {
  const weights = new Map<string, number>();
  for (const item of acceptEncoding.split(',').slice(0, ITEMS_MAX)) {
    const [name = '', ...parameters] = item.split(';').map((part) => part.trim().toLowerCase());
    const said = parameters.find((parameter) => parameter.startsWith('q='));
    const weight = said === undefined ? 1 : Number(said.slice(2) || Number.NaN);
    weights.set(name, weight >= 0 && weight <= 1 ? weight : 0);
  }
  return weights;
}

const ITEMS_MAX = 32;
