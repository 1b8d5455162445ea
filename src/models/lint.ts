import type { Config } from '../config/schema.ts';
import { scanRepository } from '../repository/scan.ts';
import { Catalog } from './catalog.ts';
import { type CatalogEntry, catalogEntry } from './catalog-entry.ts';
import { versionsNamedIn } from './named-versions.ts';
import { namesNotFound } from './names-not-found.ts';

/** A version that can be served, as far as its files say. */
export type LintedVersion = {
  readonly version: string;
  readonly bytes: number;
  readonly digest: string;
  readonly task: string | undefined;
  /** The model file; absent where the runtime does not read it as it is. */
  readonly file?: string;
};

export type LintedModel = {
  readonly model: string;
  readonly versions: readonly LintedVersion[];
  /** What keeps a version from being served, or the whole model where no version is named. */
  readonly problems: readonly { readonly version: string | undefined; readonly reason: string }[];
  /** What is asked for and not done, and folders that are no versions. */
  readonly notes: readonly string[];
};

export type Linted = {
  readonly repository: string;
  readonly models: readonly LintedModel[];
  /** What the configuration names and the repository lacks. */
  readonly missing: readonly string[];
  /** What keeps the whole repository from being read. */
  readonly problem: string | undefined;
};

/** Reads all packages as a start does, with the configuration over them, and starts none. */
export async function lintRepository(config: Config): Promise<Linted> {
  const { repository } = config;
  const scan = await scanRepository(repository, {
    named: (model) => versionsNamedIn(config, model),
  });
  const modelOf = (where: string): string =>
    where.slice(repository.length).split('/').find(Boolean) ?? '';
  const problem = scan.problems.find(({ where }) => where === repository)?.message;
  const names = new Set([
    ...scan.packages.map(({ model }) => model),
    ...[...scan.problems, ...scan.notes].map(({ where }) => modelOf(where)).filter(Boolean),
  ]);
  const entries = [...names].sort().map((model) =>
    catalogEntry(config, {
      model,
      root: repository,
      packages: scan.packages.filter((each) => each.model === model),
      problems: scan.problems.filter(({ where }) => modelOf(where) === model),
      aside: scan.aside.filter((each) => each.model === model),
    }),
  );
  const notesOf = (model: string): readonly string[] =>
    scan.notes
      .filter(({ where }) => modelOf(where) === model)
      .map(({ message }) => message.replaceAll(`${repository}/`, ''));
  return {
    repository,
    models: entries.map((entry) => lintedModel(entry, notesOf(entry.model))),
    missing: problem === undefined ? namesNotFound(config, new Catalog(config, entries)) : [],
    problem,
  };
}

function lintedModel(
  { model, packages, problems }: CatalogEntry,
  notes: readonly string[],
): LintedModel {
  const versions = [...packages.values()].map(
    ({ version, bytes, digest, task, models, inspected, reshapes }): LintedVersion => {
      const isPlain = inspected.edits === undefined && reshapes.length === 0;
      const file = isPlain && models.length === 1 ? models[0]?.file : undefined;
      return { version, bytes, digest, task, ...(file !== undefined && { file }) };
    },
  );
  return { model, versions, problems, notes };
}
