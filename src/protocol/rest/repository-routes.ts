import type { TimeSlicer } from '../../concurrency/time-slicer.ts';
import { ServeError } from '../../core/errors.ts';
import type { LoadRequest } from '../../core/model-repository.ts';
import { checkUnloadRequest, readLoadRequest } from '../load-request.ts';
import { INFER_ANY, OPERATE } from '../needs.ts';
import { unexpected } from '../refusal.ts';
import { repositoryIndexOf } from '../repository-index.ts';
import type { Service } from '../service.ts';
import { decodeBase64 } from './base64.ts';
import type { AskerOf } from './caller-door.ts';
import { flagAt, type JsonObject, LongText, objectAt, readControlJson } from './control-json.ts';
import type { RestLimits } from './limits.ts';
import { type Call, post, type RestRoute } from './route.ts';

/** How the bodies of calls are read. */
export type BodyOptions = { readonly limits: RestLimits; readonly slicer: TimeSlicer };

export type RepositoryRoutesOptions = BodyOptions & { readonly askerOf: AskerOf };

/** Listing, loading and unloading models. */
export function repositoryRoutes(
  { repository }: Service,
  { limits, slicer, askerOf }: RepositoryRoutesOptions,
): readonly RestRoute[] {
  const read = (http: { readonly body: unknown }) => readControlJson(http.body, limits, slicer);
  return [
    post('/v2/repository/index', INFER_ANY, async (http: Call) => {
      const ready = flagAt(await read(http), 'ready') ?? false;
      const asker = askerOf(http.raw);
      const seen = (await repository.index()).filter(({ model }) => asker.may('infer', model));
      return repositoryIndexOf(seen, { ready });
    }),
    post('/v2/repository/models/:model/load', OPERATE, async (http: Call<'model'>) => {
      const parameters = objectAt(await read(http), 'parameters');
      await repository.load(http.params.model, await loadRequestOf(parameters, slicer));
      return {};
    }),
    post('/v2/repository/models/:model/unload', OPERATE, async (http: Call<'model'>) => {
      checkUnloadRequest(objectAt(await read(http), 'parameters'));
      await repository.unload(http.params.model);
      return {};
    }),
    post('/v2/repository/:repository/index', INFER_ANY, refuseRepositoryName),
    post('/v2/repository/:repository/models/:model/load', OPERATE, refuseRepositoryName),
    post('/v2/repository/:repository/models/:model/unload', OPERATE, refuseRepositoryName),
  ];
}

/** Files come as base64 text. */
async function loadRequestOf(parameters: JsonObject, slicer: TimeSlicer): Promise<LoadRequest> {
  // Without a prototype: the names are the caller's, and none may get lost.
  const read = Object.create(null) as Record<string, unknown>;
  for (const [name, value] of Object.entries(parameters)) {
    if (name.startsWith('file:')) read[name] = await fileOf(name, value, slicer);
    else read[name] = value instanceof LongText ? value.text() : value;
  }
  return readLoadRequest(read, (content) => content as Uint8Array);
}

async function fileOf(name: string, value: unknown, slicer: TimeSlicer): Promise<Uint8Array> {
  const text =
    value instanceof LongText
      ? value.bytes()
      : typeof value === 'string'
        ? Buffer.from(value, 'latin1')
        : undefined;
  const bytes = text && (await decodeBase64(text, slicer));
  if (bytes === undefined) throw unexpected(`parameter '${name}'`, 'base64 text', value);
  return bytes;
}

async function refuseRepositoryName(): Promise<never> {
  throw new ServeError(
    'unsupported',
    "'repository_name' specification is not supported: expected the one repository, without a name",
  );
}
