import type { Command } from 'commander';
import t from 'tap';
import { createProgram } from '../../src/cli/program.ts';

/** A command and all below it, each with the words that lead to it. */
function allOf(
  command: Command,
  before: readonly string[] = [],
): readonly (readonly [string, Command])[] {
  const words = [...before, command.name()];
  return [[words.join(' '), command], ...command.commands.flatMap((inner) => allOf(inner, words))];
}

t.test('every command says what it does, and names no option twice', async (t) => {
  const all = allOf(createProgram());
  t.ok(all.length > 20, `${all.length} commands`);
  for (const [words, command] of all) {
    t.not(command.description(), '', words);
    const flags = command.options.flatMap(({ short, long }) => [short, long]).filter(Boolean);
    t.equal(new Set(flags).size, flags.length, words);
  }
});

t.test(
  'every command that asks a gateway prints its answer in the format that is asked for',
  async (t) => {
    for (const [words, command] of allOf(createProgram())) {
      const has = (long: string): boolean => command.options.some((option) => option.long === long);
      if (has('--admin')) t.ok(has('--output'), words);
    }
  },
);
