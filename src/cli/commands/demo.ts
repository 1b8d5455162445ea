import type { Command } from 'commander';

/** Adds `understudy demo`. */
export function addDemoCommand(program: Command): void {
  program
    .command('demo')
    .description('try four candidates on real images and show the results')
    .option('--json', 'print one JSON summary and nothing else')
    .option('--keep <folder>', 'keep the models and the ledger of the demo in this empty folder')
    .action(async (options) => (await import('../demo.ts')).demo(options));
}
