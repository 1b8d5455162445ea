import { canonicalJson } from '../../ledger/canonical-json.ts';

/**
 * What makes one plain JSON value of another, in the manner of a JSON merge patch (RFC 7396): an object has the keys that were added or
 * changed, each with its own change, and under `-` the names of those that are gone. Anything else stands for itself, so
 * an array is there whole. Unlike a merge patch it can carry null.
 */
export type JsonChange = Readonly<Record<string, unknown>>;

/** The key under which names of removed keys stand; no object that is compared may have it. */
const REMOVED = '-';

type JsonObject = Readonly<Record<string, unknown>>;

/** What of an object is not as it was before. Properties that are undefined are absent, as in JSON. */
export function changeBetween(before: JsonObject, now: JsonObject): JsonChange {
  const change: Record<string, unknown> = {};
  for (const key of Object.keys(now)) {
    if (key === REMOVED) throw new RangeError(`change: expected no key "${REMOVED}", found one`);
    const value = changedValue(own(before, key), own(now, key));
    if (value !== undefined) define(change, key, value);
  }
  const removed = Object.keys(before).filter(
    (key) => before[key] !== undefined && own(now, key) === undefined,
  );
  return removed.length === 0 ? change : { ...change, [REMOVED]: removed };
}

/**
 * The object as it is after the change, its keys in the order of canonical JSON, as in a record that has it whole: sums over its values
 * depend on their order. Shares with both what did not differ.
 */
export function changedBy(before: JsonObject, change: JsonChange): JsonObject {
  const now: Record<string, unknown> = { ...before };
  for (const [key, value] of Object.entries(change)) {
    if (key === REMOVED) continue;
    const then = own(before, key);
    define(now, key, isObject(value) && isObject(then) ? changedBy(then, value) : value);
  }
  for (const key of removedOf(change)) delete now[key];
  return Object.fromEntries(Object.entries(now).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** What stands for the new value in a change; undefined: nothing, as it is the same, or is gone. */
function changedValue(then: unknown, value: unknown): unknown {
  if (then === value) return undefined;
  if (!isObject(then) || !isObject(value)) return isSame(then, value) ? undefined : value;
  const inner = changeBetween(then, value);
  return Object.keys(inner).length === 0 ? undefined : inner;
}

function own(object: JsonObject, key: string): unknown {
  return Object.hasOwn(object, key) ? object[key] : undefined;
}

function removedOf(change: JsonChange): readonly string[] {
  const removed = Object.hasOwn(change, REMOVED) ? change[REMOVED] : [];
  if (Array.isArray(removed) && removed.every((key) => typeof key === 'string')) return removed;
  throw new RangeError(
    `change: expected names of removed keys under "${REMOVED}", found ${canonicalJson(removed)}`,
  );
}

/** A name such as `__proto__` is a key like any other. */
function define(object: Record<string, unknown>, key: string, value: unknown): void {
  if (key !== '__proto__') object[key] = value;
  else Object.defineProperty(object, key, { value, ...ORDINARY });
}

const ORDINARY = { enumerable: true, configurable: true, writable: true } as const;

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isSame(a: unknown, b: unknown): boolean {
  return a !== undefined && b !== undefined && canonicalJson(a) === canonicalJson(b);
}
