import { backUpLedger } from '../ledger/backup.ts';
import type { ChainReport } from '../ledger/chain.ts';
import { notALedger, verifyText } from './evidence-commands.ts';
import { EXIT } from './exit-code.ts';
import { print, readFormat } from './output.ts';

/** Without it no label finds its request whose answer was given before. */
const BESIDE = ['labels/secret'];

/**
 * `understudy evidence backup`: a checked copy of a ledger, which a gateway may be writing to. Exit code 1 if its chain is broken, 3 if it
 * has no records; there is no copy of the one that is broken.
 */
export async function backup(
  folder: string,
  target: string,
  options: { readonly output: string },
): Promise<void> {
  const format = readFormat(options.output);
  const report = await backUpLedger(folder, target, BESIDE).catch(notALedger(folder));
  await print(report, format, (shown) => textOf(shown, target));
  if (report.broken !== undefined) process.exitCode = EXIT.failed;
  else process.exitCode = report.records === 0 ? EXIT.inconclusive : EXIT.ok;
}

function textOf(report: ChainReport, target: string): string {
  const text = verifyText(report);
  return report.broken === undefined ? `${text}\nCopied to ${target}` : `${text}\nNothing copied`;
}
