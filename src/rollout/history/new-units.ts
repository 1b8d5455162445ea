/**
 * Which units have counted is state and no evidence: no rule reads it (only what a rollout waits for is worded by it), and a restart
 * needs it so that none counts twice. Its filters take up to 174 KB each. So a record has only what came since the record before, and reading the records one after the other adds it up again.
 */
import { type Evidence, NO_EVIDENCE, type UnitBits } from '../../core/evidence.ts';
import type { NewUnits } from '../../core/record.ts';

/** What of the evidence says which units have counted. */
type Units = {
  readonly filters: Readonly<Record<keyof NewUnits['filters'], UnitBits>>;
  readonly erred: readonly string[];
  readonly slow: readonly string[];
};

/** The evidence without its units. */
export function withoutUnits(evidence: Evidence): Evidence {
  return withUnits(evidence, NO_UNITS);
}

/** The units that the evidence has and the earlier did not. Units are only ever added. */
export function newUnitsOf(evidence: Evidence, before: Evidence): NewUnits {
  const [now, then] = [unitsOf(evidence), unitsOf(before)];
  const filters = FILTERS.flatMap((name) => {
    const added = addedBits(now.filters[name], then.filters[name]);
    return Object.keys(added).length === 0 ? [] : [[name, added] as const];
  });
  return {
    filters: Object.fromEntries(filters),
    erred: missingFrom(then.erred, now.erred),
    slow: missingFrom(then.slow, now.slow),
  };
}

/** The evidence that a look was recorded on, whole; `before`: that of the record before, undefined for the first. */
export function wholeEvidence(
  { evidence, newUnits }: { readonly evidence: Evidence; readonly newUnits?: NewUnits },
  before: Evidence | undefined,
): Evidence {
  return newUnits === undefined
    ? evidence
    : withNewUnits(evidence, newUnits, before ?? NO_EVIDENCE);
}

/** The evidence of a record with the units of the record before, and those that are new in it. */
export function withNewUnits(evidence: Evidence, added: NewUnits, before: Evidence): Evidence {
  const then = unitsOf(before);
  const filters = FILTERS.map((name) => {
    const levels = added.filters[name];
    return [name, levels === undefined ? then.filters[name] : joined(then.filters[name], levels)];
  });
  return withUnits(evidence, {
    filters: Object.fromEntries(filters) as Units['filters'],
    erred: [...then.erred, ...added.erred].sort(),
    slow: [...then.slow, ...added.slow].sort(),
  });
}

const FILTERS = ['live', 'pair', 'labels', 'liveLoss'] as const;

const NO_UNITS: Units = {
  filters: { live: {}, pair: {}, labels: {}, liveLoss: {} },
  erred: [],
  slow: [],
};

function unitsOf({
  liveUnits = {},
  pairUnits = {},
  labelling,
  liveLoss,
  erredUnits,
  slowUnits,
}: Evidence): Units {
  return {
    filters: {
      ...{ live: liveUnits, pair: pairUnits },
      ...{ labels: labelling?.units ?? {}, liveLoss: liveLoss?.units ?? {} },
    },
    ...{ erred: erredUnits, slow: slowUnits },
  };
}

function withUnits(evidence: Evidence, { filters, erred, slow }: Units): Evidence {
  const { labelling, liveLoss } = evidence;
  return {
    ...evidence,
    ...{ erredUnits: erred, slowUnits: slow, liveUnits: filters.live, pairUnits: filters.pair },
    ...(labelling && { labelling: { ...labelling, units: filters.labels } }),
    ...(liveLoss && { liveLoss: { ...liveLoss, units: filters.liveLoss } }),
  };
}

function missingFrom(then: readonly string[], now: readonly string[]): readonly string[] {
  const known = new Set(then);
  return now.filter((hash) => !known.has(hash));
}

/**
 * The bits that are set now and were not before, by level of the filter, where there are any: `+` and the gaps between them, or `=`
 * and all bits of the level where that is shorter.
 */
function addedBits(now: UnitBits, then: UnitBits): UnitBits {
  const levels = Object.entries(now).flatMap(([level, bits]) => {
    const before = then[level] ?? '';
    if (bits === before) return [];
    const gaps = gapsBetween(bytesOf(bits), bytesOf(before)).toString('base64');
    return [[level, gaps.length < bits.length ? `+${gaps}` : `=${bits}`] as const];
  });
  return Object.fromEntries(levels);
}

function joined(then: UnitBits, added: UnitBits): UnitBits {
  const levels = Object.entries(added).map(([level, text]): [string, string] => {
    const form = text.slice(0, 1);
    const rest = text.slice(1);
    if (form === '=') return [level, rest];
    if (form !== '+')
      throw new RangeError(
        `new units: expected + or = before the bits of a level, found "${form}"`,
      );
    return [level, setBits(bytesOf(then[level] ?? ''), bytesOf(rest)).toString('base64')];
  });
  return { ...then, ...Object.fromEntries(levels) };
}

function bytesOf(text: string): Buffer {
  return Buffer.from(text, 'base64');
}

/** No level of a filter is larger. */
const LEVEL_BYTES_MAX = 1_048_576;

/** The length of the level in bytes, then the places of the bits, each as what lies between it and the one before. Varints. */
function gapsBetween(now: Uint8Array, then: Uint8Array): Buffer {
  const bytes: number[] = [];
  pushVarint(bytes, now.length);
  let next = 0;
  for (let at = 0; at < now.length; at += 1) {
    const added = (now[at] ?? 0) & ~(then[at] ?? 0);
    if (added === 0) continue;
    for (let bit = 0; bit < 8; bit += 1) {
      if ((added & (1 << bit)) === 0) continue;
      const place = at * 8 + bit;
      pushVarint(bytes, place - next);
      next = place + 1;
    }
  }
  return Buffer.from(bytes);
}

function setBits(then: Uint8Array, gaps: Uint8Array): Buffer {
  const [length = 0, ...rest] = readVarints(gaps);
  if (length > LEVEL_BYTES_MAX)
    throw new RangeError(
      `new units: expected a level of at most ${LEVEL_BYTES_MAX} bytes, found ${length}`,
    );
  const bytes = Buffer.alloc(length);
  bytes.set(then.subarray(0, length));
  let next = 0;
  for (const gap of rest) {
    const place = next + gap;
    bytes[place >> 3] = (bytes[place >> 3] ?? 0) | (1 << (place & 7));
    next = place + 1;
  }
  return bytes;
}

function pushVarint(bytes: number[], value: number): void {
  let rest = value;
  for (; rest > 127; rest >>>= 7) bytes.push((rest & 127) | 128);
  bytes.push(rest);
}

function readVarints(bytes: Uint8Array): readonly number[] {
  const values: number[] = [];
  let [value, shift] = [0, 0];
  for (const byte of bytes) {
    value |= (byte & 127) << shift;
    shift += 7;
    if (byte > 127) continue;
    values.push(value >>> 0);
    [value, shift] = [0, 0];
  }
  return values;
}
