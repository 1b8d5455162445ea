import { ServeError } from '../core/errors.ts';
import { unexpected } from './refusal.ts';
import type { LogSettings, ServerSettings } from './server-settings.ts';

/** The log settings in the protocol's names. The three switches really take effect; the rest is what it is. */
export type LogSettingsBody = {
  /** Always the standard output. */
  readonly log_file: string;
  readonly log_info: boolean;
  readonly log_warning: boolean;
  readonly log_error: boolean;
  readonly log_verbose_level: number;
  readonly log_format: string;
};

const SWITCHES = {
  log_info: 'logInfo',
  log_warning: 'logWarning',
  log_error: 'logError',
} as const satisfies Partial<Record<keyof LogSettingsBody, keyof LogSettings>>;

export function logSettingsBody(settings: LogSettings): LogSettingsBody {
  return {
    log_file: '',
    log_info: settings.logInfo,
    log_warning: settings.logWarning,
    log_error: settings.logError,
    log_verbose_level: 0,
    log_format: 'default',
  };
}

/**
 * Changes what may be changed, all of it or nothing, and returns the settings as they then are. Setting what cannot be changed
 * to the value that it has is no change; null is none either.
 * @throws ServeError `invalid_input` or `unsupported`.
 */
export function updateLogSettings(
  settings: ServerSettings,
  changes: Readonly<Record<string, unknown>>,
): LogSettingsBody {
  const current = logSettingsBody(settings.log());
  const changed: { -readonly [Name in keyof LogSettings]?: boolean } = {};
  for (const [name, value] of Object.entries(changes)) {
    if (!isSetting(current, name)) {
      throw unexpected('log setting', `one of ${Object.keys(current).join(', ')}`, name);
    }
    if (value === null || value === current[name]) continue;
    if (!isSwitch(name)) throw fixed(name, current[name], value);
    if (typeof value !== 'boolean') throw unexpected(name, 'true or false', value);
    changed[SWITCHES[name]] = value;
  }
  settings.setLog(changed);
  return logSettingsBody(settings.log());
}

function isSetting(current: LogSettingsBody, name: string): name is keyof LogSettingsBody {
  return Object.hasOwn(current, name);
}

function isSwitch(name: string): name is keyof typeof SWITCHES {
  return Object.hasOwn(SWITCHES, name);
}

function fixed(name: string, current: string | number | boolean, found: unknown): ServeError {
  const text = JSON.stringify(found)?.slice(0, 80);
  return new ServeError(
    'unsupported',
    name === 'log_file'
      ? `log file location can not be updated through network protocol: expected '', found ${text}`
      : `${name} cannot be changed: expected ${JSON.stringify(current)}, found ${text}`,
  );
}
