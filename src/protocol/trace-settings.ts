import { ServeError } from '../core/errors.ts';
import { unexpected } from './refusal.ts';

/** The trace settings in the protocol's names: a list of levels, and numbers as text. Tracing is off, and stays off. */
export const TRACE_SETTINGS = {
  trace_file: [''],
  trace_level: ['OFF'],
  trace_rate: ['1000'],
  trace_count: ['-1'],
  log_frequency: ['0'],
  trace_mode: ['triton'],
} as const satisfies Readonly<Record<string, readonly string[]>>;

type TraceSetting = keyof typeof TRACE_SETTINGS;

/**
 * Takes a change that changes nothing: a setting to the value that it has, or null, which takes a model's own value away (no
 * model has one).
 * @throws ServeError `invalid_input` for a setting that there is none of, else `unsupported`.
 */
export function checkTraceSettings(changes: Readonly<Record<string, unknown>>): void {
  for (const [name, value] of Object.entries(changes)) {
    if (!isTraceSetting(name)) {
      throw unexpected('trace setting', `one of ${Object.keys(TRACE_SETTINGS).join(', ')}`, name);
    }
    if (value !== null && !isAsItIs(TRACE_SETTINGS[name], value)) throw refused(name, value);
  }
}

function isTraceSetting(name: string): name is TraceSetting {
  return Object.hasOwn(TRACE_SETTINGS, name);
}

/** A value may come alone or in a list. An empty list of gRPC is what null is in JSON. */
function isAsItIs([current]: readonly string[], value: unknown): boolean {
  const values: readonly unknown[] = Array.isArray(value) ? value : [value];
  return values.every((each) => each === current);
}

function refused(name: TraceSetting, found: unknown): ServeError {
  const text = JSON.stringify(found)?.slice(0, 80);
  return new ServeError(
    'unsupported',
    name === 'trace_file'
      ? `trace file location can not be updated through network protocol: expected '', found ${text}`
      : `requests are not traced: expected ${name} '${TRACE_SETTINGS[name][0]}', found ${text}`,
  );
}

/** @throws ServeError `model_not_found`, in the words that tracing has for it. */
export function unknownTracedModel(model: string): ServeError {
  return new ServeError('model_not_found', `Request for unknown model : ${model}`);
}
