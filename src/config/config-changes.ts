import { isDeepStrictEqual } from 'node:util';
import type { ConfigChange } from '../core/config-change.ts';
import { DEFAULTS } from './defaults.ts';
import { type ConfigSource, configOf } from './load.ts';
import { isRecord } from './merge.ts';
import { effectOf } from './reload-effect.ts';
import type { Config } from './schema.ts';
import { shownValue } from './shown-value.ts';

/** Beyond, whether two ways to write a value mean the same is not looked at: each look reads the whole configuration. */
const COMPARED_MAX = 200;

/** A change with the place and the values it is about. */
export type KeyChange = ConfigChange & {
  readonly path: readonly string[];
  readonly values: { readonly from: unknown; readonly to: unknown };
};

type Difference = Pick<KeyChange, 'path' | 'values'>;

/** The keys of which two files do not say the same, sorted; `1GiB` and `1024MiB` are the same. */
export function configChanges(running: ConfigSource, next: ConfigSource): readonly KeyChange[] {
  const all = differences([], inLongForm(running.values), inLongForm(next.values));
  const before = meaningOf(running);
  const isChange = (difference: Difference): boolean =>
    all.length > COMPARED_MAX || !isSameMeaning(running, before, difference);
  return all
    .filter(isChange)
    .map(
      ({ path, values }): KeyChange => ({
        path,
        values,
        key: path.join('.'),
        from: textOf(path, values.from),
        to: textOf(path, values.to),
        effect: effectOf(path),
      }),
    )
    .sort((a, b) => (a.key < b.key ? -1 : 1));
}

/** The file that is to run from now on: the next one, with what needs a restart as it has been. */
export function withoutRestarts(next: ConfigSource, changes: readonly KeyChange[]): ConfigSource {
  const kept = changes.filter(({ effect }) => effect === 'restart');
  const values = kept.reduce<Readonly<Record<string, unknown>>>(
    (tree, { path, values: { from } }) => withValue(tree, path, from),
    inLongForm(next.values),
  );
  return { ...next, values };
}

/** `repository: ./models` is short for a section. */
function inLongForm(values: ConfigSource['values']): ConfigSource['values'] {
  const { repository } = values;
  return typeof repository === 'string' ? { ...values, repository: { path: repository } } : values;
}

function differences(path: readonly string[], from: unknown, to: unknown): readonly Difference[] {
  if (isDeepStrictEqual(from, to)) return [];
  const isOneOnly = isRecord(from) !== isRecord(to);
  if (isSection(from, to) && isSection(to, from) && !isWhole(path, isOneOnly)) {
    const names = new Set([...keysOf(from), ...keysOf(to)]);
    const inner = [...names].flatMap((name) =>
      differences([...path, name], own(from, name), own(to, name)),
    );
    if (inner.length > 0) return inner;
  }
  return [{ path, values: { from, to } }];
}

/**
 * Shares are read together: they add up. Whether there are doors at all is one question, and settled at the start: without the section
 * its keys mean something else than their defaults.
 */
function isWhole([top, model, section, key]: readonly string[], isOneOnly: boolean): boolean {
  if (top === 'auth' && model === undefined) return isOneOnly;
  return top === 'models' && section === 'route' && key === 'split';
}

/** A section, or nothing where the other has a section. */
function isSection(value: unknown, other: unknown): boolean {
  return isRecord(value) || (value === undefined && isRecord(other));
}

function keysOf(value: unknown): readonly string[] {
  return isRecord(value) ? Object.keys(value) : [];
}

function own(value: unknown, name: string): unknown {
  return isRecord(value) && Object.hasOwn(value, name) ? value[name] : undefined;
}

type Meaning = Omit<Config, 'source'>;

function meaningOf(source: ConfigSource): Meaning {
  const { source: _, ...meaning } = configOf(source);
  return meaning;
}

/** Whether this one key makes the running configuration another. What is only right together with other keys does. */
function isSameMeaning(
  running: ConfigSource,
  before: Meaning,
  { path, values: { to } }: Difference,
): boolean {
  try {
    const values = withValue(inLongForm(running.values), path, to);
    return isDeepStrictEqual(meaningOf({ ...running, values }), before);
  } catch {
    return false;
  }
}

/** The tree with another value at a place, or without one. */
function withValue(
  tree: Readonly<Record<string, unknown>>,
  [name = '', ...rest]: readonly string[],
  value: unknown,
): Readonly<Record<string, unknown>> {
  const { [name]: present, ...others } = tree;
  if (rest.length > 0) {
    const inner = isRecord(present) ? present : {};
    return { ...others, [name]: withValue(inner, rest, value) };
  }
  return value === undefined ? others : { ...others, [name]: value };
}

function textOf(path: readonly string[], value: unknown): string {
  if (value !== undefined) return shownValue(path, value);
  const standard = defaultOf(path);
  return standard === undefined ? 'not set' : `${shownValue(path, standard)} (default)`;
}

function defaultOf(path: readonly string[]): unknown {
  const [top, , section] = path;
  // Without this section authentication is off.
  if (top === 'auth' && path.length === 1) return undefined;
  if (top === 'repository') return path[1] === 'poll' ? 'off' : DEFAULTS.repository;
  if (top !== 'models') return path.reduce<unknown>(own, DEFAULTS);
  const standard = section === 'rollout' ? DEFAULTS : DEFAULTS.model;
  const found = path.slice(2).reduce<unknown>(own, standard);
  return isRecord(found) ? undefined : found;
}
