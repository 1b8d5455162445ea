import type { Command } from 'commander';

/** Adds `understudy completion`, whose scripts are made of all the commands that the program has when it is asked for. */
export function addCompletionCommand(program: Command): void {
  program
    .command('completion <shell>')
    .description('print a script that completes commands and options: bash, zsh or fish')
    .action(async (shell) => (await import('../completion.ts')).completion(program, shell));
}
