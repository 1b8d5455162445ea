import type { Command } from 'commander';
import { withOutput } from './shared-options.ts';

/** Adds `understudy lint`. */
export function addLintCommand(program: Command): void {
  withOutput(
    program
      .command('lint [repository]')
      .description('check which packages of a repository can be served, without starting any')
      .option(
        '-c, --config <file>',
        'configuration file (default: understudy.yaml, if there is one)',
      ),
  ).action(async (repository, options) => (await import('../lint.ts')).lint(repository, options));
}
