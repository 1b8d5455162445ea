import { resolve } from 'node:path';
import * as z from 'zod';
import { DEFAULTS } from './defaults.ts';
import { expected, section } from './expected.ts';
import { number } from './quantities.ts';

/** The section `telemetry.accessLog`. */
export type AccessLogSection = {
  /** `stdout`, `stderr`, or a file, whose path is absolute. */
  readonly to: string;
  /** The share of the requests that is logged. */
  readonly sample: number;
};

/** The schema of `telemetry.accessLog`; a path stays as written. */
export const accessLogSchema = section({
  to: z
    .string({ error: expected('stdout, stderr or a file') })
    .min(1, { error: expected('stdout, stderr or a file') }),
  sample: number({ min: 0, max: 1 }).default(DEFAULTS.telemetry.accessLog.sample),
});

/** The section with the path of its file made absolute. */
export function withAbsoluteFile(
  section: AccessLogSection | undefined,
  base: string,
): AccessLogSection | undefined {
  if (section === undefined || isStream(section.to)) return section;
  return { ...section, to: resolve(base, section.to) };
}

export function isStream(to: string): to is 'stdout' | 'stderr' {
  return to === 'stdout' || to === 'stderr';
}
