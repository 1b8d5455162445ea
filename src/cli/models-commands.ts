import type { ModelView, VersionRole, VersionView } from '../models/models-view.ts';
import { AdminClient, type GatewayOptions, modelPath } from './admin-client.ts';
import { print, readFormat } from './output.ts';
import { formatTable } from './table.ts';

type Options = GatewayOptions & { readonly output: string };
type Listed = { readonly models: readonly ModelView[]; readonly isFresh: boolean };

/** A reload answers once the model is loaded, and a large one takes a while. */
const RELOAD_MS_MAX = 600_000;

/** Digits of a digest that are shown. */
const DIGEST_LENGTH = 12;

/** `understudy models`: what the repository holds, and what becomes of it. */
export async function list(options: Options): Promise<void> {
  const format = readFormat(options.output);
  const answer = (await new AdminClient(options).get('/api/v1/models', ['models'])) as Listed;
  await print(answer, format, formatModels);
}

/** `understudy models reload`: takes up the files of a model as they lie in the repository now. */
export async function reload(model: string, options: Options): Promise<void> {
  const format = readFormat(options.output);
  const path = `${modelPath(model)}/reload`;
  const client = new AdminClient(options);
  const answer = (await client.post(path, {}, RELOAD_MS_MAX)) as ModelView;
  await print(answer, format, (found) => formatModels({ models: [found], isFresh: true }));
}

type Row = { readonly model: ModelView; readonly version: VersionView | undefined };

/** What a row shows, in this order. */
const COLUMNS: readonly { readonly heading: string; readonly cell: (row: Row) => string }[] = [
  { heading: 'MODEL', cell: ({ model }) => model.model },
  { heading: 'VERSION', cell: ({ version }) => version?.version ?? '-' },
  { heading: 'STATE', cell: stateOf },
  { heading: 'ROLE', cell: ({ version }) => version?.roles.map(roleText).join(', ') || '-' },
  { heading: 'BATCH', cell: ({ version }) => version?.batch?.split(',')[0] ?? '-' },
  { heading: 'DIGEST', cell: ({ version }) => version?.digest?.slice(0, DIGEST_LENGTH) ?? '-' },
  { heading: 'REASON', cell: ({ version }) => version?.reason ?? '' },
];

/** A row for each version, and below the table what concerns whole models. */
export function formatModels({ models, isFresh }: Listed): string {
  const rows = models.flatMap((model): readonly Row[] =>
    model.versions.length === 0
      ? [{ model, version: undefined }]
      : model.versions.map((version) => ({ model, version })),
  );
  const table = formatTable([
    COLUMNS.map(({ heading }) => heading),
    ...rows.map((row) => COLUMNS.map(({ cell }) => cell(row))),
  ]);
  const notes = [...models.flatMap(notesOn), ...(isFresh ? [] : [STALE])];
  return [table, ...(notes.length > 0 ? ['', ...notes] : [])].join('\n');
}

function stateOf({ model, version }: Row): string {
  return version?.state ?? (model.starting === undefined ? 'refused' : 'starting');
}

const STALE = 'The repository takes long to read: this is what was known before.';

function notesOn({
  model,
  starting,
  reason,
  leftAside,
  followsNewest,
  versions,
}: ModelView): readonly string[] {
  return [
    ...(starting === undefined ? [] : [`${model}: starting, ${starting}`]),
    ...(reason === undefined ? [] : [`${model}: ${reason}`]),
    ...versions.flatMap((version) => [
      ...batchNote(model, version),
      ...providerNote(model, version),
    ]),
    ...(leftAside.length > 0
      ? [`${model}: left aside, as their names are no version numbers: ${leftAside.join(', ')}`]
      : []),
    ...(followsNewest ? [`${model}: follows its newest version, and no proof is asked`] : []),
  ];
}

/** Why requests run alone, or should. */
function batchNote(model: string, { version, batch }: VersionView): readonly string[] {
  return batch?.includes(', ') ? [`${model} ${version}: batch ${batch}`] : [];
}

/** Why it does not run on the execution provider that was asked for. */
function providerNote(model: string, { version, provider }: VersionView): readonly string[] {
  return provider?.includes(', ') ? [`${model} ${version}: runs on ${provider}`] : [];
}

function roleText({ role, weightBp }: VersionRole): string {
  return weightBp === undefined ? role : `${role} ${weightBp / 100} %`;
}
