import { spawn } from 'node:child_process';
import { once } from 'node:events';
import t from 'tap';
import { APipe } from '../support/a-pipe.ts';
import { COMMAND } from '../support/command.ts';
import { until } from '../support/until.ts';
import { aPlace } from './a-gateway.ts';

const TIME = { timeout: 100_000 };

type Test = Parameters<typeof aPlace>[0] & ConstructorParameters<typeof APipe>[0];

/** A gateway that answers and logs to a pipe. */
async function started(t: Test) {
  const pipe = new APipe(t);
  const { config } = await aPlace(t, ['1']);
  const child = spawn(process.execPath, [COMMAND, 'serve', '-c', config], {
    stdio: ['ignore', 'ignore', pipe.writer],
  });
  t.teardown(() => child.kill('SIGKILL'));
  const ended = once(child, 'exit');
  let log = '';
  await until('it answers', () => {
    log += pipe.read();
    return /answering at .*\n/.test(log);
  });
  const port = /answering at http:\/\/127\.0\.0\.1:(\d+)/.exec(log)?.[1];
  const isLive = async (): Promise<boolean> =>
    (await fetch(`http://127.0.0.1:${port}/v2/health/live`)).ok;
  return { pipe, child, ended, isLive };
}

t.test('a log that nothing reads holds up neither serving nor the end', TIME, async (t) => {
  const { pipe, child, ended, isLive } = await started(t);
  pipe.fill();
  t.ok(await isLive());
  child.kill('SIGTERM');
  t.same(await ended, [0, null]);
});

t.test('a log whose reader has gone ends no gateway', TIME, async (t) => {
  const { pipe, child, ended, isLive } = await started(t);
  pipe.closeReader();
  child.kill('SIGTERM');
  t.same(await ended, [0, null], 'its lines on the way down are lost and nothing else');
  await t.rejects(isLive());
});
