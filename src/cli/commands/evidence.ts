import type { Command } from 'commander';
import { withOutput } from './shared-options.ts';

/** Adds `understudy evidence` and its verbs, which need only the folder of a ledger. */
export function addEvidenceCommands(program: Command): void {
  const evidence = program.command('evidence').description('check the record of decisions');
  withLedger(
    evidence
      .command('verify <ledger>')
      .description('check that no record of a ledger was changed, removed or inserted'),
  ).action(async (folder, options) =>
    (await import('../evidence-commands.ts')).verify(folder, options),
  );
  withLedger(
    evidence
      .command('replay <ledger> [rollout]')
      .description('recompute every verdict and action from its evidence and compare')
      .option(
        '--margins [list]',
        'instead show what other margins would have said of a rollout: errors=3x+0.1%,labelledLoss=1%',
      ),
  ).action(async (folder, name, options) =>
    options.margins === undefined
      ? (await import('../evidence-commands.ts')).replay(folder, name, options)
      : (await import('../evidence-margins.ts')).replayWithMargins(folder, name, options),
  );
  withLedger(
    evidence
      .command('export <ledger> <rollout>')
      .description('export the evidence of a rollout, or of the latest one of a model')
      .option('--html <file>', 'write one HTML page with plots to this file'),
  ).action(async (folder, name, options) =>
    (await import('../evidence-export.ts')).exportRollout(folder, name, options),
  );
  withOutput(
    evidence
      .command('backup <ledger> <folder>')
      .description('copy a ledger that may be in use to a new folder, and check the copy'),
  ).action(async (folder, target, options) =>
    (await import('../evidence-backup.ts')).backup(folder, target, options),
  );
}

/** For a command that reads a whole ledger. */
function withLedger(command: Command): Command {
  return withOutput(
    command.option('--archive <folder>', 'folder that older files of the ledger were moved to'),
  );
}
