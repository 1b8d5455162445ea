import { readFile, writeFile } from 'node:fs/promises';
import { networkInterfaces } from 'node:os';
import t from 'tap';
import { aPlace, RunningGateway } from './a-gateway.ts';

const hasIPv6 = Object.values(networkInterfaces()).some((all) =>
  all?.some(({ address }) => address === '::1'),
);

t.test(
  'the line that says where it answers is a URL for IPv6 too',
  { timeout: 100_000, skip: !hasIPv6 && 'this machine has no ::1' },
  async (t) => {
    const place = await aPlace(t, ['1']);
    const text = await readFile(place.config, 'utf8');
    await writeFile(place.config, text.replace('http: 127.0.0.1:0', 'http: "[::1]:0"'));
    const gateway = await RunningGateway.start(t, place);
    const line = gateway.entries().find(({ message }) => message.startsWith('answering at'));
    const url = line?.message.replace('answering at ', '') ?? '';
    t.match(url, /^http:\/\/\[::1\]:\d+$/);
    t.equal((await fetch(`${url}/v2/health/live`)).status, 200);
    gateway.kill('SIGTERM');
    t.same(await gateway.ended, { code: 0, signal: null });
  },
);
