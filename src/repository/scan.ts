import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf } from '../core/errors.ts';
import { compareVersions } from '../core/version.ts';
import { type Inspector, withInspector } from './inspector.ts';
import { readModelFolder } from './model-folder.ts';
import { type FolderSays, type Package, readPackage } from './package.ts';

/** A folder that cannot be served, and why. */
export type Problem = { readonly where: string; readonly message: string };

export type Scan = {
  /** By model, then by version. */
  readonly packages: readonly Package[];
  readonly problems: readonly Problem[];
  /** What is asked for and not done here, one line a model. */
  readonly notes: readonly Problem[];
};

/** What a caller may bring for a model that is read. */
export type ScanModelOptions = {
  /** JSON text of a model configuration that goes in place of the folder's `config.pbtxt`. */
  readonly config?: string | undefined;
};

/**
 * Finds all packages of `<repository>/<model>/<version>/model.onnx`, or of whatever file a model's `config.pbtxt` names. Other
 * files on the first two levels and names that begin with `.` or `_` are passed over. A folder that is not a whole package
 * becomes a problem; the others go on.
 */
export async function scanRepository(root: string): Promise<Scan> {
  const packages: Package[] = [];
  const problems: Problem[] = [];
  const notes: Problem[] = [];
  const models = await foldersIn(root).catch(noteIn(problems, root));
  await withInspector(async (inspector) => {
    for (const model of models ?? []) {
      const scan = await scanWith(inspector, join(root, model), { model });
      packages.push(...scan.packages);
      problems.push(...scan.problems);
      notes.push(...scan.notes);
    }
  });
  return { packages, problems, notes };
}

/** One model's folder, read as `scanRepository` reads it. A folder that is not there is a problem of that folder. */
export async function scanModel(
  root: string,
  model: string,
  { config }: ScanModelOptions = {},
): Promise<Scan> {
  return await withInspector((inspector) =>
    scanWith(inspector, join(root, model), { model, config }),
  );
}

async function scanWith(
  inspector: Inspector,
  where: string,
  { model, config }: ScanModelOptions & { readonly model: string },
): Promise<Scan> {
  const packages: Package[] = [];
  const problems: Problem[] = [];
  const says = await readModelFolder(where, { model, config }).catch(noteIn(problems, where));
  const folders = problems.length > 0 ? [] : await foldersIn(where).catch(noteIn(problems, where));
  for (const version of [...(folders ?? [])].sort(compareVersions)) {
    const directory = join(where, version);
    if (says && !(await isVersion(directory, version, says))) continue;
    const note = noteIn(problems, directory);
    const found = await readPackage(
      directory,
      { model, version },
      { above: says, inspector },
    ).catch(note);
    if (found) packages.push(found);
  }
  return { packages, problems, notes: notesOn(where, says) };
}

/**
 * Beside a `config.pbtxt` lie folders that are no versions, such as those of warm-ups. A number is a version even without its
 * model file: it may be half written.
 */
async function isVersion(directory: string, name: string, says: FolderSays): Promise<boolean> {
  if (/^\d+$/.test(name)) return true;
  const found = await stat(join(directory, says.modelFile)).catch(() => undefined);
  return found !== undefined;
}

function notesOn(where: string, says: FolderSays | undefined): readonly Problem[] {
  if (!says || says.settings.ignored.length === 0) return [];
  const { beneath, ignored } = says.settings;
  return [
    { where, message: `${beneath.file}: left out, as it is not done here: ${ignored.join(', ')}` },
  ];
}

function noteIn(problems: Problem[], where: string) {
  return (error: unknown): undefined => {
    problems.push({ where, message: messageOf(error) });
    return undefined;
  };
}

async function foldersIn(directory: string): Promise<readonly string[]> {
  const names = await readdir(directory).catch((cause: unknown) => {
    throw new Error(`expected a directory that can be read: ${messageOf(cause)}`, { cause });
  });
  const folders: string[] = [];
  for (const name of names.sort()) {
    if (name.startsWith('.') || name.startsWith('_')) continue;
    // A link that leads nowhere is no folder.
    const found = await stat(join(directory, name)).catch(() => undefined);
    if (found?.isDirectory()) folders.push(name);
  }
  return folders;
}
