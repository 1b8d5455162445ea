import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf } from '../core/errors.ts';
import { requiredInputs } from '../core/tensor.ts';
import { compareVersions, isVersionNumber, type ModelVersion } from '../core/version.ts';
import { type Folders, foldersIn } from './folders.ts';
import { type Inspector, withInspector } from './inspector.ts';
import { readModelFolder } from './model-folder.ts';
import { type FolderSays, type Package, readPackage } from './package.ts';
import { quoted } from './quoted.ts';
import type { ReadingProgress } from './reading-progress.ts';

/** A folder that cannot be served, and why. */
export type Problem = { readonly where: string; readonly message: string };

/** Folders of a model that are no versions, as their names are no numbers and nothing names them. */
export type LeftAside = { readonly model: string; readonly names: readonly string[] };

export type Scan = {
  /** By model, then by version. */
  readonly packages: readonly Package[];
  readonly problems: readonly Problem[];
  /** What is asked for and not done here, and what was left aside, one line each a model. */
  readonly notes: readonly Problem[];
  readonly aside: readonly LeftAside[];
};

export type ScanOptions = {
  /** The versions of a model that the configuration, a route or a command names: versions under any name. */
  readonly named?: ((model: string) => Iterable<string>) | undefined;
  /** A package as it was read before: its bytes are not read again where sizes and times of its files are the same. */
  readonly known?: ((target: ModelVersion) => Package | undefined) | undefined;
};

/** What a caller may bring for a model that is read. */
export type ScanModelOptions = ScanOptions & {
  /** JSON text of a model configuration that goes in place of the folder's `config.pbtxt`. */
  readonly config?: string | undefined;
  /** Counts what is read. */
  readonly progress?: ReadingProgress | undefined;
};

/**
 * Finds all packages of `<repository>/<model>/<version>/model.onnx`, or of the file that a model's `config.pbtxt` names. A
 * version is a folder whose name is a number, or is one that `options` names; other folders are skipped, and reported in one
 * line. Files on the first two levels and names that begin with `.` or `_` are passed over. A folder that is not a whole
 * package, a dangling link and a model without versions become problems; the other packages are still returned.
 */
export async function scanRepository(root: string, options: ScanOptions = {}): Promise<Scan> {
  const models = await foldersIn(root).catch((error: unknown) => messageOf(error));
  if (typeof models === 'string')
    return { ...NOTHING, problems: [{ where: root, message: models }] };
  const scans: Scan[] = [{ ...NOTHING, problems: problemsOf(root, models.broken) }];
  await withInspector(async (inspector) => {
    for (const model of models.names)
      scans.push(await scanWith(inspector, join(root, model), { ...options, model }));
  });
  return {
    packages: scans.flatMap(({ packages }) => packages),
    problems: scans.flatMap(({ problems }) => problems),
    notes: scans.flatMap(({ notes }) => notes),
    aside: scans.flatMap(({ aside }) => aside),
  };
}

/** One model's folder, read as `scanRepository` reads it. A folder that is not there is a problem of that folder. */
export async function scanModel(
  root: string,
  model: string,
  options: ScanModelOptions = {},
): Promise<Scan> {
  return await withInspector((inspector) =>
    scanWith(inspector, join(root, model), { ...options, model }),
  );
}

const NOTHING: Scan = { packages: [], problems: [], notes: [], aside: [] };

type ModelScan = ScanModelOptions & { readonly model: string };

async function scanWith(inspector: Inspector, where: string, options: ModelScan): Promise<Scan> {
  const { model, config, known, progress } = options;
  const problems: Problem[] = [];
  const note = noteIn(problems, where);
  const says = await readModelFolder(where, { model, config }).then(saidNothing).catch(note);
  const folders = says && (await foldersIn(where).catch(note));
  if (!says || !folders) return { ...NOTHING, problems };
  const { versions, aside, broken } = await sorted(where, folders, { ...options, ...says });
  problems.push(...problemsOf(where, broken));
  const packages: Package[] = [];
  const notes: Problem[] = [...notesOn(where, says.above), ...notesOnAside(where, aside)];
  for (const version of versions) {
    const directory = join(where, version);
    const reading = {
      above: says.above,
      inspector,
      progress,
      known: known?.({ model, version }),
    };
    const found = await readPackage(directory, { model, version }, reading).catch(
      noteIn(problems, directory),
    );
    if (!found) continue;
    packages.push(found);
    notes.push(...notesOnLabels(directory, found), ...notesOnOptional(directory, found));
  }
  if (packages.length === 0 && problems.length === 0)
    problems.push({ where, message: noVersions(aside) });
  return { packages, problems, notes, aside: aside.length > 0 ? [{ model, names: aside }] : [] };
}

type Above = { readonly above: FolderSays | undefined };

/** An empty folder is distinguished from one that could not be read. */
function saidNothing(above: FolderSays | undefined): Above {
  return { above };
}

type Sorted = {
  readonly versions: readonly string[];
  readonly aside: readonly string[];
  readonly broken: Folders['broken'];
};

/**
 * Which folders are versions. A number is one even without its model file: it may be half written. Beside a `config.pbtxt` lie
 * folders that are clearly no versions, such as those of warm-ups: of the others only those with a model are logged.
 */
async function sorted(
  where: string,
  { names, broken }: Folders,
  { model, named, above }: ModelScan & Above,
): Promise<Sorted> {
  const wanted = new Set(named?.(model));
  const isVersion = (name: string): boolean => isVersionNumber(name) || wanted.has(name);
  const aside: string[] = [];
  for (const name of names) {
    if (isVersion(name)) continue;
    if (above && !(await isThere(join(where, name, above.modelFile)))) continue;
    aside.push(name);
  }
  return {
    versions: names.filter(isVersion).sort(compareVersions),
    aside,
    broken: broken.filter(({ name }) => isVersion(name)),
  };
}

async function isThere(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined)) !== undefined;
}

function noVersions(aside: readonly string[]): string {
  const expected = 'expected a folder for each version, called as a number such as 1';
  return `${expected}, found ${aside.length > 0 ? aside.join(', ') : 'none'}`;
}

function notesOnAside(where: string, aside: readonly string[]): readonly Problem[] {
  if (aside.length === 0) return [];
  const message = `left aside, as a version is a number without leading zeros unless the configuration, a route or a command names it: ${aside.join(', ')}`;
  return [{ where, message }];
}

function problemsOf(where: string, broken: Folders['broken']): readonly Problem[] {
  return broken.map(({ name, reason }) => ({ where: join(where, name), message: reason }));
}

function notesOn(where: string, says: FolderSays | undefined): readonly Problem[] {
  if (!says || says.settings.ignored.length === 0) return [];
  const { baseConfig, ignored } = says.settings;
  return [
    {
      where,
      message: `${baseConfig.file}: left out, as it is not done here: ${ignored.join(', ')}`,
    },
  ];
}

function notesOnLabels(where: string, { inspected, modelFile }: Package): readonly Problem[] {
  if (inspected.labels?.kind !== 'unusable') return [];
  const message = `${modelFile}: labels in it are left out, so classes go by number: ${inspected.labels.because}`;
  return [{ where, message }];
}

function notesOnOptional(where: string, { signature, settings }: Package): readonly Problem[] {
  const { declared, baseConfig } = settings;
  const needed = requiredInputs(signature).filter(({ name }) => declared.optional.has(name));
  if (needed.length === 0) return [];
  const names = needed.map(({ name }) => quoted(name)).join(', ');
  const message = `${baseConfig.file}: optional of ${names} is left out: the model's file has no value for it, so every request has to give it`;
  return [{ where, message }];
}

function noteIn(problems: Problem[], where: string) {
  return (error: unknown): undefined => {
    problems.push({ where, message: messageOf(error) });
    return undefined;
  };
}
