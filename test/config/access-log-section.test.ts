import t from 'tap';
import { configOf, parseSource } from '../../src/config/load.ts';

function accessLog(written: string) {
  const text = `apiVersion: understudy/v1\ntelemetry: { accessLog: ${written} }`;
  return configOf(parseSource('/etc/understudy/understudy.yaml', text)).telemetry.accessLog;
}

t.test('a file lies beside the configuration, and a stream is no file', async (t) => {
  t.same(accessLog('{ to: ./access.log }'), { to: '/etc/understudy/access.log', sample: 1 });
  t.same(accessLog('{ to: stdout, sample: 0.01 }'), { to: 'stdout', sample: 0.01 });
});

t.test('what is wrong is refused', async (t) => {
  for (const written of ['{ }', '{ to: "" }', '{ to: stdout, sample: 2 }'])
    t.throws(() => accessLog(written), /accessLog/, written);
});
