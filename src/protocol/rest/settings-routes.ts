import { ServeError } from '../../core/errors.ts';
import { logSettingsBody, updateLogSettings } from '../log-settings.ts';
import { ADMIN, OPERATE, VIEW, VIEW_ALL } from '../needs.ts';
import type { Service } from '../service.ts';
import { checkTraceSettings, TRACE_SETTINGS, unknownTracedModel } from '../trace-settings.ts';
import { readControlJson } from './control-json.ts';
import type { BodyOptions } from './repository-routes.ts';
import { type Call, get, post, type RestRoute } from './route.ts';

/** The settings that callers may read, and some of which they may change. */
export function settingsRoutes(
  { gateway, settings }: Service,
  { limits, slicer }: BodyOptions,
): readonly RestRoute[] {
  const checkModel = (http: Call<'model'>): void => {
    try {
      gateway.metadata(http.params.model);
    } catch (thrown) {
      const isUnknown = thrown instanceof ServeError && thrown.code === 'model_not_found';
      throw isUnknown ? unknownTracedModel(http.params.model) : thrown;
    }
  };
  const trace = '/v2/trace/setting';
  const modelTrace = '/v2/models/:model/trace/setting';
  const update = async ({ body }: { readonly body: unknown }) => {
    checkTraceSettings(await readControlJson(body, limits, slicer));
    return traceSettingsBody();
  };
  return [
    get('/v2/logging', VIEW_ALL, async () => logSettingsBody(settings.log())),
    post('/v2/logging', ADMIN, async (http: Call) =>
      updateLogSettings(settings, await readControlJson(http.body, limits, slicer)),
    ),
    get(trace, VIEW_ALL, async () => traceSettingsBody()),
    post(trace, ADMIN, update),
    get(modelTrace, VIEW, async (http: Call<'model'>) => {
      checkModel(http);
      return traceSettingsBody();
    }),
    post(modelTrace, OPERATE, async (http: Call<'model'>) => {
      checkModel(http);
      return update(http);
    }),
  ];
}

/** As JSON has them: levels in a list, the others alone. */
function traceSettingsBody(): Readonly<Record<string, string | readonly string[]>> {
  const { trace_level, ...others } = TRACE_SETTINGS;
  const alone = Object.entries(others).map(([name, [value]]) => [name, value] as const);
  return { trace_level, ...Object.fromEntries(alone) };
}
