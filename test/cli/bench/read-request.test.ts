import { Command } from 'commander';
import t from 'tap';
import { addBenchCommands } from '../../../src/cli/bench/commands.ts';
import type { RunOptions, SweepOptions } from '../../../src/cli/bench/load-options.ts';
import { runRequest, sweepRequest } from '../../../src/cli/bench/read-request.ts';
import { BENCH_DEFAULTS } from '../../../src/load/nouns/bench-request.ts';

/** What the parser gives for a command of which only the model is said. */
function defaultsOf(mode: string): unknown {
  const program = new Command();
  addBenchCommands(program);
  const bench = program.commands.find((command) => command.name() === 'bench');
  const command = bench?.commands.find((each) => each.name() === mode);
  return { ...command?.opts(), model: 'fashion' };
}

t.test('a command asks for what a program gets by default', async (t) => {
  const options = defaultsOf('run') as RunOptions;
  const { target, mode, seed, ...settings } = await runRequest({ ...options, rate: '5' });
  t.strictSame(settings, BENCH_DEFAULTS);
  t.match(target, { protocol: 'rest-binary', model: 'fashion', address: { port: 8000 } });
  t.match(mode, { kind: 'run', arrivals: { rate: { perSecond: 5 } }, measuredMs: 30_000 });
  t.ok(Number.isInteger(seed) && seed >= 0);
});

t.test('the request of a command is plain data, the same for the same seed', async (t) => {
  const options = { ...(defaultsOf('sweep') as SweepOptions), seed: '3', loads: '0.5,1' };
  const request = sweepRequest(options);
  t.strictSame(sweepRequest(options), request);
  t.strictSame(structuredClone(request), request);
  t.strictSame(request.mode, { kind: 'sweep', ofCapacity: [0.5, 1], pointMs: 10_000 });
});
