import { availableParallelism } from 'node:os';
import { relative, sep } from 'node:path';
import type { ModelConfig } from '../config/model-section.ts';
import { type Config, modelConfig } from '../config/schema.ts';
import { messageOf } from '../core/errors.ts';
import { sha256Hex } from '../core/hash.ts';
import { memoryLimit } from '../process/memory-limit.ts';
import type { Package } from '../repository/package.ts';
import type { Scan } from '../repository/scan.ts';
import { checkInstances, type Machine } from './instances.ts';

/** Beside the versions, and none of them. */
const CONFIG_FILE = 'config.pbtxt';

/** What keeps a version from being served, or the whole model where no version is named. */
export type CatalogProblem = { readonly version: string | undefined; readonly reason: string };

/** One model as it was read: its packages, what could not be read, and how it is run. Never changes: a reload makes another. */
export type CatalogEntry = Pick<Found, 'root' | 'config'> & {
  readonly model: string;
  /** By version, in the order in which they were found. */
  readonly packages: ReadonlyMap<string, Package>;
  readonly problems: readonly CatalogProblem[];
  /** What lies in the repository otherwise than it was read: of a version, or of the whole model. */
  readonly changes: readonly CatalogProblem[];
  /** Folders that neither the configuration, a route nor a command names: not versions. */
  readonly aside: readonly string[];
  readonly settings: ModelConfig;
  /** By version: changes with any byte of the package, with the place where it lies and with how it is run. */
  readonly builds: ReadonlyMap<string, string>;
};

/** What was read of one model's folder. */
export type Found = Pick<Scan, 'packages' | 'problems' | 'aside'> & {
  readonly model: string;
  /** The directory that the model's folder lies in. */
  readonly root: string;
  /** The model configuration that a caller brought along in place of the folder's. */
  readonly config?: string | undefined;
};

/**
 * A model with the settings that its own files and `understudy.yaml` make together. Where those contradict each other, or ask for
 * more than the machine can bear, it has no versions and a problem that says so.
 */
export function catalogEntry(
  config: Config,
  { model, root, config: json, ...found }: Found,
): CatalogEntry {
  const source = { model, root, config: json };
  const problems = found.problems.map(({ where, message }): CatalogProblem => {
    const [, version] = relative(root, where).split(sep);
    // Clients read this too: paths are relative to the repository, so that its place on the machine stays private.
    const reason = message.replaceAll(root + sep, '');
    return { version: version === CONFIG_FILE ? undefined : version, reason };
  });
  const aside = found.aside.flatMap(({ names }) => names);
  try {
    const settings = settingsOf(config, model, found.packages);
    return {
      ...source,
      packages: new Map(found.packages.map((each) => [each.version, each])),
      problems,
      changes: [],
      aside,
      settings,
      builds: new Map(found.packages.map((each) => [each.version, buildOf(each, settings)])),
    };
  } catch (error) {
    return {
      ...source,
      packages: new Map(),
      problems: [...problems, { version: undefined, reason: messageOf(error) }],
      changes: [],
      aside,
      settings: modelConfig(config, model),
      builds: new Map(),
    };
  }
}

/** @throws Error where the files contradict each other, or ask for more than the machine can bear. */
function settingsOf(config: Config, model: string, packages: readonly Package[]): ModelConfig {
  const settings = modelConfig(config, model, packages[0]?.settings.baseConfig);
  const largest = Math.max(0, ...packages.map(({ bytes }) => bytes));
  checkInstances(settings.instances, largest, thisMachine());
  return settings;
}

function thisMachine(): Machine {
  return { processors: availableParallelism(), memoryBytes: memoryLimit() };
}

/**
 * A model as it was read, run as another configuration has it. Its files are not looked at.
 *
 * @throws Error where the configuration and the model's own files contradict each other, or ask for more than the machine can bear.
 */
export function withConfig(config: Config, entry: CatalogEntry): CatalogEntry {
  const packages = [...entry.packages.values()];
  const settings = settingsOf(config, entry.model, packages);
  return {
    ...entry,
    settings,
    builds: new Map(packages.map((each) => [each.version, buildOf(each, settings)])),
  };
}

/** The versions that two readings of a model do not have alike: added, gone, or another build. */
export function changedVersions(
  before: CatalogEntry | undefined,
  after: CatalogEntry,
): ReadonlySet<string> {
  const all = [...(before?.builds.keys() ?? []), ...after.builds.keys()];
  return new Set(all.filter((each) => before?.builds.get(each) !== after.builds.get(each)));
}

function buildOf({ digest, models, warmups, reshapes }: Package, settings: ModelConfig): string {
  const { instances, batch, queue, execution } = settings;
  const { deadlineMs: _, ...limits } = queue;
  const run = [digest, models, warmups, reshapes, instances, batch, limits, execution];
  return sha256Hex(JSON.stringify(run));
}
