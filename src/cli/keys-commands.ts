import { resolve } from 'node:path';
import { keyIdOf } from '../auth/api-key.ts';
import { createKey, readKeys, revokeKey } from '../auth/manage-keys.ts';
import { grantsSchema } from '../config/auth-section.ts';
import { ConfigError } from '../config/config-error.ts';
import { ConfigFile } from '../config/config-file.ts';
import { DEFAULTS } from '../config/defaults.ts';
import { readEnvironment } from '../config/environment.ts';
import { issuesOf } from '../config/issues.ts';
import type { KeyFile } from '../config/key-file.ts';
import { duration } from '../config/quantities.ts';
import type { Grant } from '../core/caller.ts';
import { systemClock } from '../core/clock.ts';
import { messageOf } from '../core/errors.ts';
import { CommandError, EXIT } from './exit-code.ts';
import { isForReading, print, readFormat } from './output.ts';
import { writeErr, writeOut } from './standard-output.ts';
import { formatTable } from './table.ts';

type FolderOptions = {
  readonly config?: string;
  readonly keys?: string;
  readonly output: string;
};

type CreateOptions = FolderOptions & {
  readonly name: string;
  readonly role: readonly string[];
  readonly model?: readonly string[];
  readonly expires: string;
};

type RevokeOptions = FolderOptions & { readonly all?: boolean };

/** A key as it is shown: without its digest, which is of no use to a reader. */
type KeyView = {
  readonly id: string;
  readonly name: string;
  readonly state: 'valid' | 'expired' | 'revoked';
  readonly grants: readonly Grant[];
  readonly created: string;
  readonly expires: string | null;
  readonly revoked: string | null;
};

/** `understudy keys create`: the key goes to standard output, what there is to say of it to standard error. */
export async function create(options: CreateOptions): Promise<void> {
  const format = readFormat(options.output);
  const grants = grantsOf(options);
  const nowMs = systemClock.wallMs();
  const expiresMs = expiryOf(options.expires, nowMs);
  const { folder, hasSection } = await keyFolder(options);
  const { keyPepper: pepper } = readEnvironment();
  const wanted = { name: options.name, grants, nowMs, expiresMs };
  const { key, file } = await failing(createKey({ folder, pepper }, wanted));
  const view = viewOf(file);
  if (!isForReading(format)) await print({ key, ...view }, format, () => key);
  else writeOut(`${key}\n`);
  const until = view.expires === null ? 'does not expire' : `is valid until ${view.expires}`;
  writeErr(
    `key:${view.name} (${view.id}) may ${grantsText(grants)} and ${until}. It is shown this one time: keep it where secrets are kept.\n`,
  );
  if (!hasSection) writeErr(NO_SECTION);
}

const NO_SECTION =
  'The configuration has no section "auth": until it has one, callers are not asked for a key.\n';

/** `understudy keys list` */
export async function list(options: FolderOptions): Promise<void> {
  const format = readFormat(options.output);
  const { folder } = await keyFolder(options);
  const { keys, problems } = await failing(readKeys(folder));
  await print({ keys: keys.map(viewOf) }, format, (shown) => formatKeys(shown.keys));
  for (const problem of problems) writeErr(`understudy: no key: ${problem}\n`);
}

/** `understudy keys revoke` */
export async function revoke(asked: string, options: RevokeOptions): Promise<void> {
  const format = readFormat(options.output);
  const id = keyIdOf(asked);
  if (id !== undefined) {
    throw new CommandError(
      EXIT.usage,
      `expected the id or the name of a key, found the key itself, which other users of this machine can see in the list of processes. Its id is ${id}`,
    );
  }
  const { folder } = await keyFolder(options);
  const { keys } = await failing(readKeys(folder));
  const revoked: KeyView[] = [];
  for (const key of chosenFrom(keys, asked, options.all === true))
    revoked.push(viewOf(await failing(revokeKey(folder, key.id, systemClock.wallMs()))));
  await print({ keys: revoked }, format, (shown) => formatKeys(shown.keys));
}

/** @throws CommandError where no key is meant, or it is not clear which. */
function chosenFrom(keys: readonly KeyFile[], asked: string, isAll: boolean): readonly KeyFile[] {
  const byId = keys.filter(({ id }) => id === asked);
  if (byId.length > 0) return byId;
  const named = keys.filter(({ name }) => name === asked);
  const live = named.filter(({ revokedMs }) => revokedMs === undefined);
  const chosen = live.length > 0 ? live : named;
  if (chosen.length === 0) {
    throw new CommandError(EXIT.failed, `no key "${asked}". "understudy keys list" lists them.`);
  }
  if (chosen.length > 1 && !isAll) {
    const ids = chosen.map(({ id }) => id).join(', ');
    throw new CommandError(
      EXIT.usage,
      `expected the id of one key, or --all: ${chosen.length} keys have the name "${asked}": ${ids}`,
    );
  }
  return chosen;
}

/** @throws CommandError `usage` */
function grantsOf({ role, model }: CreateOptions): readonly Grant[] {
  const wanted = role.map((each) => ({ role: each, models: model ?? '*' }));
  const { data, error } = grantsSchema.safeParse(wanted);
  if (data !== undefined) return data;
  const [issue] = issuesOf(error);
  const option = issue?.path.includes('models') ? '--model' : '--role';
  throw new CommandError(EXIT.usage, `${option}: ${issue?.message}`);
}

/** Dates beyond are a mistake. */
const YEARS_MAX = 100;

/** @throws CommandError `usage` */
function expiryOf(text: string, nowMs: number): number | undefined {
  if (text === 'never') return undefined;
  const { data } = duration.safeParse(text);
  if (data !== undefined && data <= YEARS_MAX * 365 * 86_400_000) return nowMs + data;
  throw new CommandError(
    EXIT.usage,
    `--expires: expected a duration such as 90d, or never, found "${text}"`,
  );
}

/** The folder that is meant, and whether the configuration makes use of it. */
async function keyFolder({
  config: named,
  keys,
}: FolderOptions): Promise<{ readonly folder: string; readonly hasSection: boolean }> {
  if (keys !== undefined) return { folder: resolve(keys), hasSection: true };
  try {
    const file = new ConfigFile(named ?? readEnvironment().configFile);
    const source = await file.readFirst();
    const { auth } = file.configOf(source);
    if (auth !== undefined) return { folder: auth.keys, hasSection: true };
    const base = source.file === undefined ? '.' : resolve(source.file, '..');
    return { folder: resolve(base, DEFAULTS.auth.keys), hasSection: false };
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    throw new CommandError(EXIT.usage, error.message, { cause: error });
  }
}

async function failing<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (cause) {
    throw new CommandError(EXIT.failed, messageOf(cause), { cause });
  }
}

function viewOf(key: KeyFile): KeyView {
  const { id, name, grants, createdMs, expiresMs, revokedMs } = key;
  const isOver = expiresMs !== undefined && expiresMs <= systemClock.wallMs();
  return {
    ...{ id, name, state: revokedMs !== undefined ? 'revoked' : isOver ? 'expired' : 'valid' },
    ...{ grants, created: timeOf(createdMs) },
    expires: expiresMs === undefined ? null : timeOf(expiresMs),
    revoked: revokedMs === undefined ? null : timeOf(revokedMs),
  };
}

function timeOf(ms: number): string {
  return new Date(ms).toISOString();
}

/** A row for each key. */
export function formatKeys(keys: readonly KeyView[]): string {
  if (keys.length === 0) return 'No keys. "understudy keys create" makes one.';
  const rows = keys.map(({ id, name, state, grants, created, expires }) => [
    ...[id, name, state, grantsText(grants)],
    ...[created.slice(0, 10), expires?.slice(0, 10) ?? 'never'],
  ]);
  return formatTable([['ID', 'NAME', 'STATE', 'MAY', 'CREATED', 'EXPIRES'], ...rows]);
}

/** `infer, label on fashion; view on *`: roles with the same models together. */
function grantsText(grants: readonly Grant[]): string {
  const byModels = new Map<string, string[]>();
  for (const { role, models } of grants) {
    const where = models === '*' ? 'all models' : models.join(', ');
    byModels.set(where, [...(byModels.get(where) ?? []), role]);
  }
  return [...byModels].map(([where, roles]) => `${roles.join(', ')} on ${where}`).join('; ');
}
