import type { Asker } from '../../core/entrance.ts';
import { logSettingsBody, updateLogSettings } from '../log-settings.ts';
import { unexpected } from '../refusal.ts';
import type { Service } from '../service.ts';
import { checkTraceSettings, TRACE_SETTINGS, unknownTracedModel } from '../trace-settings.ts';

type TraceRequest = {
  readonly settings: Readonly<Record<string, { readonly value: readonly string[] }>>;
  readonly model_name: string;
};

/** A value, by the name of the field that holds it. */
type LogValue = { readonly parameter_choice?: string; readonly [field: string]: unknown };

type LogRequest = { readonly settings: Readonly<Record<string, LogValue>> };

/** The calls that read settings of the running server, and change what can be changed. */
export function createSettingsCalls({ gateway, settings }: Pick<Service, 'gateway' | 'settings'>) {
  return {
    TraceSetting: ({ settings: changes, model_name }: TraceRequest, asker: Asker) => {
      const isChange = Object.keys(changes).length > 0;
      if (model_name !== '') asker.check(isChange ? 'operate' : 'view', model_name);
      else asker.check(isChange ? 'admin' : 'view', undefined);
      if (model_name !== '' && !isModel(gateway, model_name)) throw unknownTracedModel(model_name);
      checkTraceSettings(mapValues(changes, ({ value }) => value));
      return { settings: mapValues(TRACE_SETTINGS, (value) => ({ value })) };
    },
    LogSettings: ({ settings: changes }: LogRequest, asker: Asker) => {
      const names = Object.keys(changes);
      asker.check(names.length === 0 ? 'view' : 'admin', undefined);
      const body =
        names.length === 0
          ? logSettingsBody(settings.log())
          : updateLogSettings(settings, mapValues(changes, logValueOf));
      return { settings: mapValues(body, logValue) };
    },
  };
}

function isModel(gateway: Service['gateway'], model: string): boolean {
  try {
    gateway.version(model);
    return true;
  } catch {
    return false;
  }
}

function logValueOf(value: LogValue, name: string): unknown {
  const { parameter_choice: choice } = value;
  if (choice === undefined) throw unexpected(`log setting '${name}'`, 'a value', undefined);
  return value[choice];
}

function logValue(value: string | number | boolean) {
  if (typeof value === 'boolean') return { bool_param: value };
  return typeof value === 'number' ? { uint32_param: value } : { string_param: value };
}

function mapValues<From, To>(
  record: Readonly<Record<string, From>>,
  map: (value: From, key: string) => To,
): Readonly<Record<string, To>> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, map(value, key)]));
}
