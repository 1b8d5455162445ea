import { ServeError } from '../core/errors.ts';
import { ALL_BP, type MirrorSetting, type Share } from '../core/route.ts';

/** What a `PUT` of a route asks for, in the units of the inside. */
export type RouteRequest = {
  readonly revision: number;
  readonly stable: string;
  readonly shares: readonly Share[];
  readonly mirror: MirrorSetting | undefined;
};

type Body = Readonly<Record<string, unknown>>;

const REASON_LENGTH_MAX = 1000;

/**
 * Checks `{ revision, stable, split: { version: percent }, mirror?: { version, percentage, twin? } }`.
 *
 * @throws ServeError `invalid_input` with what was expected and found.
 */
export function parseRouteRequest(body: unknown): RouteRequest {
  const request = knownKeys(body, ['revision', 'stable', 'split', 'mirror'], 'the body');
  const stable = text(request['stable'], 'stable');
  const revision = request['revision'];
  if (typeof revision !== 'number' || !Number.isInteger(revision)) {
    throw invalid('revision', 'the revision that was read, a whole number', revision);
  }
  const { mirror } = request;
  return {
    revision,
    stable,
    shares: parseSplit(request['split'], stable),
    mirror: mirror === undefined || mirror === null ? undefined : parseMirror(mirror),
  };
}

/** What a request to reload the configuration says. */
export type ReloadConfigRequest = { readonly reason: string; readonly isDryRun: boolean };

/**
 * Checks `{ reason, dryRun? }`.
 *
 * @throws ServeError `invalid_input` with what was expected and found.
 */
export function parseReloadConfig(body: unknown): ReloadConfigRequest {
  const { dryRun = false, reason } = knownKeys(body, ['reason', 'dryRun'], 'the body');
  if (typeof dryRun !== 'boolean') throw invalid('dryRun', 'true or false', dryRun);
  return { reason: parseReason({ reason }), isDryRun: dryRun };
}

/** Checks `{ reason }` of a command that a person gives. */
export function parseReason(body: unknown): string {
  const reason = text(knownKeys(body, ['reason'], 'the body')['reason'], 'reason').trim();
  if (reason === '' || reason.length > REASON_LENGTH_MAX) {
    throw invalid('reason', `1 to ${REASON_LENGTH_MAX} characters that say why`, reason);
  }
  return reason;
}

/** The model that a request to start a rollout names, and the rest of its body. */
export function parseModel(body: unknown): { readonly model: string; readonly rest: Body } {
  const { model, ...rest } = object(body, 'the body');
  return { model: text(model, 'model'), rest };
}

/** `?requestsPerSecond=`, which a plan is made for; undefined: not given. */
export function parseRate(query: unknown): number | undefined {
  const { requestsPerSecond } = object(query, 'the query');
  if (requestsPerSecond === undefined) return undefined;
  const rate = Number(requestsPerSecond);
  if (rate > 0 && Number.isFinite(rate)) return rate;
  throw invalid('requestsPerSecond', 'a number above 0', requestsPerSecond);
}

/** A version that is not stable takes the low end of the line, so that its share may grow and keep its units. */
function parseSplit(split: unknown, stable: string): readonly Share[] {
  const shares = Object.entries(object(split, 'split')).map(([version, percent]) => {
    const arm = version === stable ? ('stable' as const) : ('other' as const);
    return { arm, version, weightBp: basisPoints(percent, `split.${version}`) };
  });
  const total = shares.reduce((sum, share) => sum + share.weightBp, 0);
  if (total !== ALL_BP) throw invalid('split', 'percentages that add up to 100', total / 100);
  const isStable = (share: Share): number => (share.arm === 'stable' ? 1 : 0);
  return shares.filter((share) => share.weightBp > 0).sort((a, b) => isStable(a) - isStable(b));
}

function parseMirror(mirror: unknown): MirrorSetting {
  const { version, percentage, twin } = knownKeys(
    mirror,
    ['version', 'percentage', 'twin'],
    'mirror',
  );
  return {
    version: text(version, 'mirror.version'),
    sampleBp: basisPoints(percentage, 'mirror.percentage'),
    twinBp: twin === undefined ? 0 : basisPoints(twin, 'mirror.twin'),
  };
}

function basisPoints(percent: unknown, where: string): number {
  if (typeof percent === 'number' && percent >= 0 && percent <= 100) {
    const bp = Math.round(percent * 100);
    if (Math.abs(bp - percent * 100) < 1e-6) return bp;
  }
  throw invalid(where, 'a percentage from 0 to 100 with at most two decimals', percent);
}

function knownKeys<Key extends string>(
  value: unknown,
  keys: readonly Key[],
  where: string,
): Partial<Record<Key, unknown>> {
  const record = object(value, where);
  const unknown = Object.keys(record).find((key) => !keys.some((known) => known === key));
  if (unknown !== undefined) throw invalid(where, `only ${keys.join(', ')}`, unknown);
  return record as Partial<Record<Key, unknown>>;
}

function object(value: unknown, where: string): Body {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Body;
  throw invalid(where, 'a JSON object', value);
}

function text(value: unknown, where: string): string {
  if (typeof value === 'string' && value !== '') return value;
  throw invalid(where, 'a string', value);
}

function invalid(where: string, expected: string, found: unknown): ServeError {
  const shown = (JSON.stringify(found) ?? 'nothing').slice(0, 80);
  return new ServeError('invalid_input', `${where}: expected ${expected}, found ${shown}`);
}
