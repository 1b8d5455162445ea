import { ServeError } from '../core/errors.ts';
import type { LoadRequest } from '../core/model-repository.ts';
import { unexpected } from './refusal.ts';

const FILE_PREFIX = 'file:';

/** Files that one call may bring along; no package has as many. */
const FILES_MAX = 64;

/**
 * What a caller brings along to load a model: `config`, the model's configuration as JSON text, and `file:<version>/<name>`, the
 * content of a file, which a wire gives in a form of its own. Files come with a configuration or not at all.
 * @throws ServeError `invalid_input` or `too_large`.
 */
export function readLoadRequest(
  parameters: Readonly<Record<string, unknown>>,
  contentOf: (value: unknown, name: string) => Uint8Array,
): LoadRequest {
  const files = new Map<string, Uint8Array>();
  let config: string | undefined;
  for (const [name, value] of Object.entries(parameters)) {
    if (name === 'config') config = configOf(value);
    else if (name.startsWith(FILE_PREFIX)) files.set(pathOf(name), contentOf(value, name));
    else throw unexpected('parameter of a load', `'config' or '${FILE_PREFIX}<path>'`, name);
  }
  if (files.size > FILES_MAX) {
    throw new ServeError(
      'too_large',
      `too many files: expected at most ${FILES_MAX}, found ${files.size}`,
    );
  }
  if (files.size > 0 && config === undefined) {
    throw new ServeError(
      'invalid_input',
      `override model directory expected 'config' beside '${FILE_PREFIX}' parameters, found none`,
    );
  }
  return { config, files };
}

/**
 * What a caller says to take a model out of service. No model here depends on another, so that whether its dependents go too
 * makes no difference.
 * @throws ServeError `invalid_input`.
 */
export function checkUnloadRequest(parameters: Readonly<Record<string, unknown>>): void {
  for (const [name, value] of Object.entries(parameters)) {
    if (name !== 'unload_dependents') {
      throw unexpected('parameter of an unload', "'unload_dependents'", name);
    }
    if (typeof value !== 'boolean') throw unexpected(`parameter '${name}'`, 'true or false', value);
  }
}

function configOf(value: unknown): string {
  if (typeof value === 'string') return value;
  throw unexpected("parameter 'config'", 'JSON text', value);
}

/** A path within the model's folder, and in no way out of it. */
function pathOf(name: string): string {
  const path = name.slice(FILE_PREFIX.length);
  const parts = path.split('/');
  const isSafe = parts.every((part) => /^[^\\\0]+$/.test(part) && part !== '.' && part !== '..');
  if (isSafe) return path;
  throw unexpected('file name', `'${FILE_PREFIX}' and a path within the model's folder`, name);
}
