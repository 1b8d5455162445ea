import { counted } from '../core/text.ts';
import { decide } from '../decide/decide.ts';
import type { ChainReport } from '../ledger/chain.ts';
import { readLedger, verifyLedger } from '../ledger/file.ts';
import { type ReplayReport, replay as replayRecords } from '../rollout/history/replay.ts';
import { CommandError, EXIT, type ExitCode } from './exit-code.ts';
import { print, readFormat } from './output.ts';

/** `archive`: the folder that older files of the ledger were moved to. */
export type LedgerOptions = { readonly output: string; readonly archive?: string | undefined };

/** `understudy evidence verify`: exit code 1 if the chain is broken, 3 if there is no record to check. */
export async function verify(folder: string, options: LedgerOptions): Promise<void> {
  const format = readFormat(options.output);
  const report = await verifyLedger(foldersOf(folder, options)).catch(notALedger(folder));
  await print(report, format, verifyText);
  process.exitCode = exitCodeOf(report.broken === undefined, report.records);
}

/**
 * `understudy evidence replay`: exit code 1 if a recorded decision does not follow from its evidence, 3 if there is no
 * decision to check.
 */
export async function replay(
  folder: string,
  name: string | undefined,
  options: LedgerOptions,
): Promise<void> {
  if (name !== undefined) {
    const message = `expected --margins with a rollout, found ${name} alone: without it the whole ledger is replayed`;
    throw new CommandError(EXIT.usage, message);
  }
  const format = readFormat(options.output);
  const records = readLedger(foldersOf(folder, options));
  const report = await replayRecords(records, decide).catch(notALedger(folder));
  await print(report, format, replayText);
  process.exitCode = exitCodeOf(report.disagreements.length === 0, report.decisions);
}

/** Nothing found wrong in nothing looked at proves nothing: most likely it is the wrong folder. */
function exitCodeOf(isGood: boolean, looked: number): ExitCode {
  if (!isGood) return EXIT.failed;
  return looked === 0 ? EXIT.inconclusive : EXIT.ok;
}

/** A ledger's folder, and that of its archive: a file that is in both may have been copied only in part. */
export function foldersOf(
  folder: string,
  { archive }: Pick<LedgerOptions, 'archive'>,
): readonly string[] {
  return archive === undefined ? [folder] : [folder, archive];
}

/** Says that there is no folder of that name. */
export function notALedger(folder: string): (error: unknown) => never {
  return (error) => {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code !== 'ENOENT' && code !== 'ENOTDIR') throw error;
    const message = `expected the folder of a ledger, found no folder ${folder}`;
    throw new CommandError(EXIT.usage, message, { cause: error });
  };
}

export function verifyText({ records, archived = 0, head, broken }: ChainReport): string {
  if (broken === undefined && records === 0) return '? no records here: nothing to verify';
  const from = archived === 0 ? '' : ' from a checkpoint on';
  const rest =
    archived === 0
      ? ''
      : `\n  ${archived} records before them are archived: --archive <folder> checks them, too`;
  if (broken === undefined)
    return `✔ ${records} records${from}, an unbroken chain. Head ${head}${rest}`;
  return `✖ broken after ${records} good records, at ${broken.where} line ${broken.line}: ${broken.problem}`;
}

function replayText({ decisions, disagreements }: ReplayReport): string {
  if (decisions === 0) return '? no decisions here: nothing to replay';
  if (disagreements.length === 0)
    return `✔ ${counted(decisions, 'decision')} computed again, all the same`;
  const lines = disagreements.map(
    ({ index, rolloutId, what, recorded, recomputed }) =>
      `record ${index}, ${rolloutId}, ${what}:\n  recorded    ${recorded}\n  recomputed  ${recomputed}`,
  );
  return [`✖ ${disagreements.length} of ${decisions} decisions do not follow:`, ...lines].join(
    '\n',
  );
}
