import type { Command } from 'commander';
import { withOutput } from './shared-options.ts';

/** Adds `understudy demo`. */
export function addDemoCommand(program: Command): void {
  withOutput(
    program
      .command('demo')
      .description('try four candidates on real images and show the results')
      .option('--json', 'print one JSON summary and nothing else, as -o json')
      .option('--keep <folder>', 'keep the models and the ledger of the demo in this empty folder'),
  ).action(async (options) => (await import('../demo.ts')).demo(options));
}
