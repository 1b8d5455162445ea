import { cp, readdir } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import t from 'tap';
import {
  clockFinding,
  coresFinding,
  descriptorsFinding,
  memoryFinding,
  nodeFinding,
} from '../../../src/cli/doctor/machine.ts';
import { systemClock } from '../../../src/core/clock.ts';
import { openFileLedger } from '../../../src/ledger/file.ts';
import { understudy } from '../../support/command.ts';
import { projectRoot } from '../../support/project-root.ts';

const TIME = { timeout: 200_000 };

type Finding = { readonly level: string; readonly subject: string; readonly message: string };

function aFile(taken: number): string {
  return `apiVersion: understudy/v1
server: { http: 127.0.0.1:${taken}, grpc: 127.0.0.1:0, admin: 127.0.0.1:0 }
`;
}

async function doctorIn(cwd: string): Promise<{ code: number | null; found: readonly Finding[] }> {
  const { code, stdout, stderr } = await understudy(['doctor', '-o', 'json'], { cwd });
  t.equal(stderr, '');
  return { code, found: JSON.parse(stdout).findings };
}

t.test(
  'doctor says of a place where a gateway can run that it can, and leaves nothing behind',
  TIME,
  async (t) => {
    const root = t.testdir({ 'understudy.yaml': aFile(0), var: { ledger: {} } });
    await cp(join(projectRoot, 'models', 'fashion'), join(root, 'models', 'fashion'), {
      recursive: true,
    });
    const { code, found } = await doctorIn(root);
    t.same(
      found.filter(({ level }) => level === 'fail'),
      [],
    );
    t.equal(code, 0);
    const subjects = found.map(({ subject }) => subject);
    for (const subject of [
      'Node',
      'clock',
      'cores',
      'memory',
      'open files',
      'configuration',
      'ledger',
      'repository',
      'inference on cpu',
    ])
      t.ok(subjects.includes(subject), subject);
    t.match(
      found.find(({ subject }) => subject === 'inference on cpu')?.message,
      /fashion \d answered zeros/,
    );
    t.same(await readdir(join(root, 'var', 'ledger')), []);
  },
);

t.test(
  'doctor names who has taken a port and who writes to the ledger, and disturbs neither',
  TIME,
  async (t) => {
    const server = createServer().listen(0, '127.0.0.1');
    await new Promise((listening) => server.once('listening', listening));
    t.teardown(() => server.close());
    const address = server.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    const root = t.testdir({ 'understudy.yaml': aFile(port), models: {} });
    const folder = join(root, 'var', 'ledger');
    const ledger = await openFileLedger(folder, { clock: systemClock });
    t.teardown(() => ledger.close());
    const before = await readdir(folder);
    const { code, found } = await doctorIn(root);
    const messageOf = (name: string) => found.find(({ subject }) => subject === name)?.message;
    t.match(messageOf('ledger'), new RegExp(`in use by process ${process.pid}$`));
    t.match(
      messageOf(`port ${port}`),
      new RegExp(`in use by the running gateway, process ${process.pid} `),
    );
    t.equal(code, 1, 'the repository has no model');
    t.same(await readdir(folder), before);
    const command = { kind: 'abort', model: 'fashion', reason: 'none runs' } as const;
    await ledger.append({ kind: 'command', command, refused: 'no rollout' }, ledger.head());
  },
);

t.test('what is wrong in the configuration is a problem each, with its place', TIME, async (t) => {
  const root = t.testdir({ 'understudy.yaml': 'apiVersion: understudy/v1\nledgr: x\n' });
  const { code, found } = await doctorIn(root);
  t.equal(code, 1);
  t.match(found.at(-1), { level: 'fail', message: /^understudy\.yaml:2:\d+ .*ledger/ });
});

t.test('each check of the machine knows good from bad', async (t) => {
  const now = Date.UTC(2026, 5, 1);
  const levels = (findings: readonly Finding[]) => findings.map(({ level }) => level);
  t.same(
    levels([
      nodeFinding('v22.20.0', now),
      nodeFinding('v20.19.0', now),
      nodeFinding('v20.18.0', now),
      nodeFinding('v23.1.0', now),
    ]),
    ['ok', 'warn', 'fail', 'warn'],
  );
  t.same(
    levels([
      clockFinding(now, now - 1),
      clockFinding(now, now + 3_600_000),
      clockFinding(0, undefined),
    ]),
    ['ok', 'warn', 'fail'],
  );
  t.same(
    levels([
      coresFinding({ threads: 3, bytes: 0 }, 4),
      coresFinding({ threads: 9, bytes: 0 }, 4),
      memoryFinding({ threads: 1, bytes: 2 ** 20 }, 2 ** 30),
      memoryFinding({ threads: 1, bytes: 2 ** 30 }, 2 ** 30),
    ]),
    ['ok', 'warn', 'ok', 'warn'],
  );
  t.same(levels([255, 1_024, 100_000, Infinity].map((found) => descriptorsFinding(4_096, found))), [
    'fail',
    'warn',
    'ok',
    'ok',
  ]);
});
