import { decide } from '../decide/decide.ts';
import type { ChainReport } from '../ledger/chain.ts';
import { readLedger, verifyLedger } from '../ledger/file.ts';
import { type ReplayReport, replay as replayRecords } from '../rollout/replay.ts';
import { EXIT } from './exit-code.ts';
import { print, readFormat } from './output.ts';

type Options = { readonly output: string };

/** `understudy evidence verify`: exit code 1 if the chain is broken. */
export async function verify(folder: string, options: Options): Promise<void> {
  const format = readFormat(options.output);
  const report = await verifyLedger(folder);
  print(report, format, verifyText);
  process.exitCode = report.broken === undefined ? EXIT.ok : EXIT.failed;
}

/** `understudy evidence replay`: exit code 1 if a recorded decision does not follow from its evidence. */
export async function replay(folder: string, options: Options): Promise<void> {
  const format = readFormat(options.output);
  const report = await replayRecords(readLedger(folder), decide);
  print(report, format, replayText);
  process.exitCode = report.disagreements.length === 0 ? EXIT.ok : EXIT.failed;
}

function verifyText({ records, head, broken }: ChainReport): string {
  if (broken === undefined) return `✔ ${records} records, an unbroken chain. Head ${head}`;
  return `✖ broken after ${records} good records, at ${broken.where} line ${broken.line}: ${broken.problem}`;
}

function replayText({ decisions, disagreements }: ReplayReport): string {
  if (disagreements.length === 0) return `✔ ${decisions} decisions computed again, all the same`;
  const lines = disagreements.map(
    ({ index, rolloutId, what, recorded, recomputed }) =>
      `record ${index}, ${rolloutId}, ${what}:\n  recorded    ${recorded}\n  recomputed  ${recomputed}`,
  );
  return [`✖ ${disagreements.length} of ${decisions} decisions do not follow:`, ...lines].join(
    '\n',
  );
}
