import { writeFile } from 'node:fs/promises';
import type { ExampleView } from '../console/example-routes.ts';
import { counted } from '../core/text.ts';
import { saidOfBoth } from '../examples/said.ts';
import { AdminClient, type GatewayOptions, modelPath } from './admin-client.ts';
import { inputsFileOf } from './example-inputs.ts';
import { examplePath, requestOf, tensorsIn, tensorsOf } from './example-tensors.ts';
import { formatExample, formatExamples, type ListedExamples, saidText } from './example-view.ts';
import { CommandError, EXIT } from './exit-code.ts';
import { print, readFormat } from './output.ts';
import { formatTable } from './table.ts';

type Common = GatewayOptions & { readonly output: string };

type ListOptions = Common & {
  readonly rollout?: string;
  readonly slice?: string;
  readonly order?: string;
  readonly limit: string;
};

const KEYS = ['examples', 'keep'];

/** `understudy examples list`: compared requests that are kept. */
export async function list(model: string, options: ListOptions): Promise<void> {
  const format = readFormat(options.output);
  await print(await listed(new AdminClient(options), model, options), format, formatExamples);
}

/** `understudy rollout divergences`: the largest differences of the latest rollout. */
export async function divergences(model: string, options: ListOptions): Promise<void> {
  await list(model, { ...options, order: 'largest', rollout: options.rollout ?? 'latest' });
}

/** `understudy examples get`: one example. */
export async function get(model: string, id: string, options: Common): Promise<void> {
  const format = readFormat(options.output);
  const answer = await new AdminClient(options).get(examplePath(model, id), ['said']);
  await print(answer as ExampleView, format, formatExample);
}

/** `understudy examples forget`: deletes all examples of a unit. */
export async function forget(
  model: string,
  options: Common & { readonly unit: string },
): Promise<void> {
  const format = readFormat(options.output);
  const path = `${modelPath(model)}/examples?unit=${encodeURIComponent(options.unit)}`;
  const answer = (await new AdminClient(options).delete(path)) as { readonly forgotten: number };
  await print(answer, format, ({ forgotten }) => `Deleted ${counted(forgotten, 'example')}.`);
}

type ExportOptions = ListOptions & { readonly out: string; readonly answers?: boolean };

/** `understudy examples export`: the kept requests as a file of inputs for `understudy bench --input-data`. */
export async function exportInputs(model: string, options: ExportOptions): Promise<void> {
  const format = readFormat(options.output);
  const client = new AdminClient(options);
  const { examples, keep } = await listed(client, model, options);
  const whole = examples.filter((each) => each.body !== undefined && each.redacted.length === 0);
  if (whole.length === 0)
    throw new CommandError(
      EXIT.failed,
      `expected an example with its whole request, found none of ${examples.length} (keep: ${keep}). Set models.<model>.examples.keep to bodies, and redact no input`,
    );
  const samples = [];
  for (const { id } of whole) {
    const path = examplePath(model, id);
    samples.push({
      request: await tensorsOf(client, path, 'request'),
      answer: options.answers ? await tensorsOf(client, path, 'stable') : undefined,
    });
  }
  // What clients sent is for the owner of the file alone.
  await writeFile(options.out, inputsFileOf(samples), { mode: 0o600 });
  const leftOut = examples.length - whole.length;
  const result = { out: options.out, samples: samples.length, leftOut };
  await print(result, format, () =>
    [
      `Wrote ${counted(samples.length, 'request')} to ${options.out}.`,
      ...(leftOut > 0 ? [`Left out ${counted(leftOut, 'example')} without a whole request.`] : []),
    ].join('\n'),
  );
}

type ReplayOptions = Common & { readonly modelVersion: string; readonly http: string };

/** `understudy examples replay`: sends a kept request to a version, and shows its answer beside the two that are kept. */
export async function replay(model: string, id: string, options: ReplayOptions): Promise<void> {
  const format = readFormat(options.output);
  const admin = new AdminClient(options);
  const path = examplePath(model, id);
  const example = (await admin.get(path, ['said'])) as ExampleView;
  if (example.redacted.length > 0)
    throw new CommandError(
      EXIT.failed,
      `expected a whole request, found one without ${example.redacted.join(', ')}, which examples.redact leaves out`,
    );
  const inputs = await tensorsOf(admin, path, 'request');
  const [name, version] = [model, options.modelVersion].map(encodeURIComponent);
  const served = new AdminClient({ ...options, admin: options.http });
  const answer = await served.bytes(
    `/v2/models/${name}/versions/${version}/infer`,
    requestOf(inputs),
  );
  const said = saidOf(example, tensorsIn(answer));
  const result = {
    example: id,
    version: options.modelVersion,
    said: { ...example.said, replayed: said },
  };
  await print(result, format, () =>
    formatTable([
      [`stable ${example.versions.stable}`, saidText(example.said.stable, Infinity)],
      [`candidate ${example.versions.candidate}`, saidText(example.said.candidate, Infinity)],
      [`replayed ${options.modelVersion}`, saidText(said, Infinity)],
    ]),
  );
}

/** In the words that the kept answers are in. */
function saidOf({ said }: ExampleView, outputs: ReturnType<typeof tensorsIn>) {
  const known = [said.stable, said.candidate].flatMap((side) =>
    side.kind === 'answer' ? side.outputs : [],
  );
  const classOutputs = known.filter(({ top }) => top !== undefined).map(({ name }) => name);
  const labels: string[] = [];
  for (const { top } of known) if (top?.label !== undefined) labels[top.class] = top.label;
  const answer = { kind: 'answer', outputs, computeMs: 0 } as const;
  return saidOfBoth(answer, answer, { classOutputs, labels }).stable;
}

async function listed(
  client: AdminClient,
  model: string,
  { rollout, slice, order, limit }: ListOptions,
): Promise<ListedExamples> {
  const asked = { rollout, slice, order, limit };
  const query = Object.entries(asked).flatMap(([key, value]) =>
    value === undefined ? [] : [`${key}=${encodeURIComponent(value)}`],
  );
  const path = `${modelPath(model)}/examples?${query.join('&')}`;
  return (await client.get(path, KEYS)) as ListedExamples;
}
