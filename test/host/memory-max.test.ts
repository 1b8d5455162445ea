import t from 'tap';

import { type Host, startHost } from '../../src/host/host.ts';
import { A_BIRTH, aHost, aHostOptions } from '../support/a-host.ts';
import { aGreedyModel, aModelFile, aSlowLoadingModel } from '../support/a-model-file.ts';
import { anOnnxSource } from '../support/a-source.ts';
import { anInferRequest } from '../support/an-infer-request.ts';
import { until } from '../support/until.ts';

const MIB = 1_048_576;
const LINUX_ONLY = { skip: process.platform === 'linux' ? false : 'Linux only' };

const source = anOnnxSource(aModelFile(aGreedyModel()));
const joining = { joining: { kind: 'off', because: 'it has no rows' }, probe: false } as const;

/** Asks for a matrix of so many MiB. */
function ask(host: Host, mebibytes: number) {
  const sizes = BigInt64Array.of(BigInt(mebibytes), BigInt(MIB / 4));
  const data = new Uint8Array(sizes.buffer);
  const inputs = [{ name: 'sizes', dtype: 'INT64', shape: [2], data } as const];
  return host.infer(anInferRequest([], { inputs }), new AbortController().signal);
}

t.test(
  'a model that takes more memory than it may is killed, with the reason',
  LINUX_ONLY,
  async (t) => {
    const birth = { ...A_BIRTH, memoryBytesMax: 512 * MIB };
    const { host, log } = await aHost(t, { tier: 'process', source, joining, birth });
    t.match(await ask(host, 1), { outputs: [{ name: 'y' }] });
    const first = host.pid();
    // The runtime keeps what it took: it is over the limit however short the run was.
    await ask(host, 1_024).catch((error: unknown) => {
      t.match(error, {
        code: 'host_lost',
        message: /over execution.memoryMax: expected at most 512 MiB resident, found \d+/,
      });
    });
    await until('it is killed', () => log.crashes.length === 1);
    t.match(log.crashes, [{ signal: 'SIGKILL' }]);
    await until('another is there', () => host.pid() !== undefined && host.pid() !== first);
    t.match(await ask(host, 1), { outputs: [{ name: 'y' }] }, 'and serves what fits');
  },
);

t.test(
  'a model that does not fit while it loads is refused with the reason',
  LINUX_ONLY,
  async (t) => {
    const birth = { ...A_BIRTH, memoryBytesMax: 8 * MIB };
    const slow = anOnnxSource(aModelFile(aSlowLoadingModel(8)));
    const loading = startHost(aHostOptions({ tier: 'process', source: slow, birth }));
    await t.rejects(loading, { code: 'version_not_ready', message: /execution.memoryMax/ });
  },
);
