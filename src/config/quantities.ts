import * as z from 'zod';
import { expected } from './expected.ts';

const MS_PER = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
const BYTES_PER = { B: 1, KiB: 1_024, MiB: 1_048_576, GiB: 1_073_741_824 } as const;

type Range = { readonly min: number; readonly max: number };

/** A whole number within a range; `unit` is for the message. */
export function whole({ min, max }: Range, unit = ''): z.ZodNumber {
  const error = expected(`a whole number${unit && ` of ${unit}`} from ${min} to ${max}`);
  return z.int({ error }).min(min, { error }).max(max, { error });
}

/** A number within a range, both ends included. */
export function number({ min, max }: Range): z.ZodNumber {
  const error = expected(`a number from ${min} to ${max}`);
  return z.number({ error }).min(min, { error }).max(max, { error });
}

const durationText = z
  .string({ error: expected('a duration such as 500ms, 30s, 15m or 24h') })
  .regex(/^\d{1,9}(\.\d{1,3})?(ms|s|m|h|d)$/, {
    error: expected('a duration such as 500ms, 30s, 15m or 24h'),
  });

/** `500ms`, `1.5s`, `15m`, `24h`, `7d`; gives whole milliseconds, at least one. */
export const duration = durationText.transform(msOf);

/** The same for the delay of a timer: Node's timers fire immediately on a delay over 24 days. */
export const upToADay = durationText
  .refine((text) => !(msOf(text) > MS_PER.d), { error: expected('a duration of at most 24h') })
  .transform(msOf);

/** `64MiB`, `16KiB`, `512B`; gives bytes. */
export const byteSize = z
  .string({ error: expected('a size such as 512B, 16KiB or 64MiB') })
  .regex(/^\d{1,9}(B|KiB|MiB|GiB)$/, { error: expected('a size such as 512B, 16KiB or 64MiB') })
  .transform((text) => amountOf(text, BYTES_PER));

/** Percent with at most two decimals, so that it is a whole number of basis points. */
export const percent = z
  .number({ error: expected('percent from 0 to 100') })
  .min(0, { error: expected('percent from 0 to 100') })
  .max(100, { error: expected('percent from 0 to 100') })
  .refine(isWholeBp, { error: expected('percent with at most two decimals') });

/** Percent to basis points. */
export function toBp(percentage: number): number {
  return Math.round(percentage * 100);
}

function isWholeBp(percentage: number): boolean {
  return Math.abs(percentage * 100 - toBp(percentage)) < 1e-6;
}

/** A path; it may not exist yet. */
export const directory = z
  .string({ error: expected('a directory') })
  .min(1, { error: expected('a directory') })
  .refine((path) => !path.includes('://'), { error: expected('a directory') });

/** The name of a model: of a folder of the repository. */
export const modelName = z
  .string()
  .regex(/^[^/\\._][^/\\]*$/, { error: expected('a model name: a folder of the repository') });

const aVersion = expected('a version: a folder name in quotes, or a whole number');

/** A version's name. A bare number is taken as its digits; with a point it could lose some, so it has to be quoted. */
export const version = z.union(
  [
    z.string().regex(/^[^/\\._][^/\\]*$/, { error: aVersion }),
    z
      .int()
      .min(0)
      .transform((digits) => String(digits)),
  ],
  { error: aVersion },
);

/** `header:x-user-id`; gives the header's name in lower case. */
export const headerSource = z
  .string({ error: expected('a header such as header:x-user-id') })
  .regex(/^header:[A-Za-z0-9][A-Za-z0-9-]*$/, {
    error: expected('a header such as header:x-user-id'),
  })
  .transform((text) => text.slice('header:'.length).toLowerCase());

export type Address = { readonly host: string; readonly port: number };

/** `127.0.0.1:8000`, `[::1]:8000`, `localhost:0` (0: any free port). */
export const address = z
  .string({ error: expected('host:port, such as 127.0.0.1:8000') })
  .regex(/^(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9.-]+):\d{1,5}$/, {
    error: expected('host:port, such as 127.0.0.1:8000'),
  })
  .transform(addressOf)
  .refine(({ port }) => port <= 65_535, { error: 'expected a port from 0 to 65535' });

/** True where only this machine can connect. */
export function isLoopback({ host }: Address): boolean {
  return host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host);
}

function addressOf(text: string): Address {
  const colon = text.lastIndexOf(':');
  const host = text.slice(0, colon).replace(/^\[|\]$/g, '');
  return { host, port: Number(text.slice(colon + 1)) };
}

function msOf(text: string): number {
  return Math.max(1, Math.round(amountOf(text, MS_PER)));
}

function amountOf(text: string, factors: Readonly<Record<string, number>>): number {
  const unit = /[A-Za-z]+$/.exec(text)?.[0] ?? '';
  return Number(text.slice(0, text.length - unit.length)) * (factors[unit] ?? Number.NaN);
}
