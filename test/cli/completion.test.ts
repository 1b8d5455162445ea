import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { Command } from 'commander';
import t from 'tap';
import { createProgram } from '../../src/cli/program.ts';
import { understudy } from '../support/command.ts';

const run = promisify(execFile);
const TIME = { timeout: 60_000 };
const hasBash = await run('bash', ['--version']).then(
  () => true,
  () => false,
);
const SKIP = hasBash ? false : 'there is no bash here';

/** What bash offers at the end of each of these command lines; a space at its end begins another word. */
async function offered(lines: readonly string[]): Promise<readonly (readonly string[])[]> {
  const { stdout: script } = await understudy(['completion', 'bash']);
  const asks = lines.map((line) => {
    const words = line.split(' ').map((word) => `'${word}'`);
    return `COMP_WORDS=(${words.join(' ')}); COMP_CWORD=${words.length - 1}; _understudy; echo "\${COMPREPLY[*]}"`;
  });
  const { stdout } = await run('bash', ['--norc', '-c', `${script}\n${asks.join('\n')}`]);
  return stdout
    .trimEnd()
    .split('\n')
    .map((line) => line.split(' ').filter((word) => word !== ''));
}

function at(program: Command, ...words: readonly string[]): Command {
  return words.reduce<Command>((found, word) => {
    const next = found.commands.find((inner) => inner.name() === word);
    if (next === undefined) throw new Error(`expected the command ${word}, found none`);
    return next;
  }, program);
}

t.test(
  'bash completes the commands, options and values that the program has',
  { ...TIME, skip: SKIP },
  async (t) => {
    const program = createProgram();
    const lines = [
      'understudy ',
      'understudy rollout ',
      'understudy rollout hi',
      'understudy rollout get fashion --',
      'understudy rollout get fashion -o ',
      'understudy --no-color rollout abort --reason rollout -',
      'understudy rollout abort fashion --reason ',
      'understudy models rel',
    ] as const;
    const found = await offered(lines);
    const names = (command: Command): readonly string[] => command.commands.map((it) => it.name());
    const options = (command: Command): readonly string[] =>
      command.options.flatMap(({ short, long }) =>
        [short, long].filter((flag) => flag !== undefined),
      );
    t.same(found[0], names(program));
    t.same(found[1], names(at(program, 'rollout')));
    t.same(found[2], ['history']);
    const longOnes = options(at(program, 'rollout', 'get')).filter((flag) => flag.startsWith('--'));
    t.same(found[3], [...longOnes, '--help']);
    t.same(found[4], ['table', 'wide', 'json', 'yaml']);
    t.same(found[5], [...options(at(program, 'rollout', 'abort')), '-h', '--help']);
    t.same(found[6], [], 'any text may follow');
    t.same(found[7], ['reload']);
  },
);

t.test('bash completes files where an option takes one', { ...TIME, skip: SKIP }, async (t) => {
  const [files] = await offered(['understudy serve --config /proc/versio']);
  t.same(files, ['/proc/version']);
});

t.test('zsh and fish get all commands, and another shell is refused', TIME, async (t) => {
  const [zsh, fish, other] = await Promise.all(
    ['zsh', 'fish', 'tcsh'].map((shell) => understudy(['completion', shell])),
  );
  t.match(zsh?.stdout, /^#compdef understudy\n/);
  for (const command of createProgram().commands) {
    t.match(zsh?.stdout, new RegExp(`\\b${command.name()}\\b`));
    t.match(fish?.stdout, new RegExp(`-a ${command.name()} -d '`));
  }
  t.match(
    fish?.stdout,
    /^complete -c understudy -n '__fish_seen_subcommand_from rollout; and __fish_seen_subcommand_from get' -s w -l watch -d /m,
  );
  t.match(other, { code: 2, stderr: /expected bash, zsh or fish, found "tcsh"/ });
});
