import type { Log } from '../core/log.ts';
import { compareVersions } from '../core/version.ts';
import type { Package } from '../repository/package.ts';
import type { CatalogEntry, CatalogProblem } from './catalog-entry.ts';

export type Sighting = {
  /** As the model was last taken up; undefined: it was not there. */
  readonly before: CatalogEntry | undefined;
  /** As it lies in the repository now. */
  readonly found: CatalogEntry;
  /** Versions that traffic, a route or a trial depends on: they stay as they were read until the model is reloaded. */
  readonly atWork: ReadonlySet<string>;
};

/**
 * The entry after a look at a model's folder: versions that are not in use are as they are on disk now, the others as they were
 * read, with their changes noted. Returns `before` itself where nothing has changed.
 */
export function noticed({ before, found, atWork }: Sighting): CatalogEntry {
  if (before === undefined) return found;
  const kept = [...before.packages.values()].filter(({ version }) => atWork.has(version));
  const entry = entryOf(before, found, kept);
  return factsOf(entry) === factsOf(before) ? before : entry;
}

function entryOf(
  before: CatalogEntry,
  found: CatalogEntry,
  kept: readonly Package[],
): CatalogEntry {
  const whole = kept.length > 0 ? changeOfAll(before, found) : undefined;
  if (whole !== undefined) return { ...before, changes: [{ version: undefined, reason: whole }] };
  const changes = kept.flatMap((each) => changeOf(each, found));
  const versions = new Set(kept.map(({ version }) => version));
  const others = [...found.packages.values()].filter(({ version }) => !versions.has(version));
  const packages = [...kept, ...others].sort((a, b) => compareVersions(a.version, b.version));
  const buildOf = (version: string): string =>
    (versions.has(version) ? before : found).builds.get(version) ?? '';
  return {
    ...found,
    packages: new Map(packages.map((each) => [each.version, each])),
    problems: found.problems.filter(({ version }) => !versions.has(version ?? '')),
    builds: new Map(packages.map(({ version }) => [version, buildOf(version)])),
    changes,
  };
}

/** Changes that concern all versions of a model. */
function changeOfAll(before: CatalogEntry, found: CatalogEntry): string | undefined {
  const [was] = before.packages.values();
  const [is] = found.packages.values();
  const problem = found.problems.find(({ version }) => version === undefined);
  if (problem !== undefined) return `its folder changed since it was read: ${problem.reason}`;
  if (was === undefined || is === undefined) return undefined;
  return textOf(was.settings) === textOf(is.settings)
    ? undefined
    : 'its config.pbtxt changed since it was read';
}

function changeOf(kept: Package, { packages, problems }: CatalogEntry): readonly CatalogProblem[] {
  const { version } = kept;
  const now = packages.get(version);
  if (now !== undefined && contentOf(now) === contentOf(kept)) return [];
  const problem = problems.find((each) => each.version === version)?.reason;
  const reason =
    now === undefined
      ? `its files changed since they were read: ${problem ?? 'its folder is gone'}`
      : 'its files changed since they were read';
  return [{ version, reason }];
}

/** Logs what a scan of the repository has found, each change once. */
export function logNews(before: CatalogEntry | undefined, after: CatalogEntry, log: Log): void {
  const { model } = after;
  for (const [version, found] of after.packages) {
    const was = before?.packages.get(version);
    if (was !== undefined && contentOf(was) === contentOf(found)) continue;
    const message =
      was === undefined
        ? 'new version found; it gets traffic through a rollout or a route'
        : 'files of an unloaded version changed; read again';
    log({ level: 'info', message, facts: { model, version } });
  }
  for (const version of before?.packages.keys() ?? [])
    if (!after.packages.has(version))
      log({
        level: 'info',
        message: 'version removed from the repository',
        facts: { model, version },
      });
  for (const { version, reason } of newIn(before?.changes, after.changes)) {
    const message = `${reason}; still serving what was read. To apply the change: understudy models reload ${model}`;
    log({ level: 'warn', message, facts: { model, ...(version && { version }) } });
  }
  for (const { version, reason } of newIn(before?.problems, after.problems)) {
    const message = `cannot be served: ${reason}`;
    log({ level: 'error', message, facts: { model, ...(version && { version }) } });
  }
}

function newIn(
  before: readonly CatalogProblem[] | undefined,
  after: readonly CatalogProblem[],
): readonly CatalogProblem[] {
  const known = new Set(before?.map(textOf));
  return after.filter((each) => !known.has(textOf(each)));
}

/** Names what was found, so that two looks can be compared. */
export function factsOf({ packages, problems, aside, changes, builds }: CatalogEntry): string {
  return textOf([[...packages.values()].map(contentOf), problems, aside, changes, [...builds]]);
}

/** A package without what changes when the same bytes are written again. */
function contentOf({ stamp: _, ...content }: Package): string {
  return textOf(content);
}

function textOf(value: unknown): string {
  return JSON.stringify(value, (_, part) => (part instanceof Map ? [...part] : part));
}
