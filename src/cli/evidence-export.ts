import { rename, writeFile } from 'node:fs/promises';
import { evidencePage } from '../console/evidence-page.ts';
import { countText, durationText } from '../core/text.ts';
import { decide } from '../decide/decide.ts';
import { readLedger } from '../ledger/file.ts';
import { type CheckedExport, exportEvidence } from '../rollout/evidence/export.ts';
import { foldersOf, notALedger } from './evidence-commands.ts';
import { CommandError, EXIT } from './exit-code.ts';
import { print, readFormat } from './output.ts';

export type ExportOptions = {
  readonly output: string;
  readonly html?: string;
  readonly archive?: string | undefined;
};

/**
 * `understudy evidence export`: all that a ledger says of one rollout, named by its id or by its model, as text, JSON or one HTML
 * page. Exit code 1 if the chain is broken or a decision does not follow from its evidence, 2 if there is no such rollout.
 */
export async function exportRollout(
  folder: string,
  name: string,
  options: ExportOptions,
): Promise<void> {
  const format = readFormat(options.output);
  const { archive } = options;
  // One that is broken cannot be read: it ends here, with the line.
  const checked = await exportEvidence(
    () => readLedger(foldersOf(folder, { archive })),
    { idOrModel: name },
    { decide },
  ).catch(notALedger(folder));
  if (checked === undefined) {
    throw new CommandError(
      EXIT.usage,
      `expected the id of a rollout or a model that had one, found no rollout ${name} in ${folder}`,
    );
  }
  if (options.html !== undefined) await writeWhole(options.html, evidencePage(checked));
  await print(checked, format, (shown) => textOf(shown, options.html));
  process.exitCode = checked.replayed.disagreements === 0 ? EXIT.ok : EXIT.failed;
}

/** A reader of the file never finds half a page. */
async function writeWhole(file: string, text: string): Promise<void> {
  const partial = `${file}.partial`;
  await writeFile(partial, text);
  await rename(partial, file);
}

function textOf({ evidence, replayed }: CheckedExport, html: string | undefined): string {
  const { id, spec, phase, looks, decisions, startedMs, record, headHash } = evidence;
  const lastMs = looks.at(-1)?.atMs ?? startedMs;
  const trust =
    replayed.disagreements === 0
      ? 'chain unbroken, all decisions recomputed alike'
      : `cannot be trusted: ${replayed.disagreements} decisions do not follow from their evidence`;
  return [
    `${id}: ${spec.model} ${spec.stable} -> ${spec.candidate}, ${phase.kind} after ${durationText(Math.max(0, lastMs - startedMs))}`,
    `Record ${record}, hash ${headHash}; ${trust}`,
    ...decisions.map(({ what, why }) => `  ${what}: ${why}`),
    ...(html === undefined
      ? [`${countText(looks.length)} looks. --html writes a page with plots, -o json all numbers.`]
      : [`Written: ${html}`]),
  ].join('\n');
}
