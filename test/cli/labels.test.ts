import t from 'tap';
import type { AdminOptions } from '../../src/console/admin.ts';
import { anAdmin } from '../console/an-admin.ts';
import { World } from '../rollout/builders.ts';
import { understudy } from '../support/command.ts';

const TIME = { timeout: 120_000 };

const WANTED = {
  token: 'abc.def',
  requestId: 'r1',
  askedAt: '2026-01-01T00:00:00.000Z',
  until: '2026-01-02T00:00:00.000Z',
  slices: ['tone=dark'],
};

type Label = Parameters<AdminOptions['label']>[0];

const asked: object[] = [];
const labelled: Label[] = [];
const { listen, app } = await anAdmin(new World(), {
  nextLabels: (each) => {
    asked.push(each);
    return { wanted: 3, leased: 2, leasedBy: { a: 2 }, labels: [WANTED] };
  },
  label: (each) => {
    labelled.push(each);
    return 'joined';
  },
});
const { port } = await listen('127.0.0.1', 0);
t.teardown(() => app.close());

function labels(...args: readonly string[]) {
  return understudy(['labels', ...args, '--admin', `http://127.0.0.1:${port}`]);
}

t.test('next shows what is wanted and takes it on a lease', TIME, async (t) => {
  const { code, stdout } = await labels('next', 'fashion', '--lease', '1h', '--limit', '5');
  t.equal(code, 0);
  t.match(stdout, /r1 .*tone=dark/);
  t.match(stdout, /3 labels are wanted, 2 of them were handed out before/);
  t.match(asked, [{ model: 'fashion', leaseMs: 3_600_000, limit: 5 }]);
});

t.test('answer takes a class name, or JSON', TIME, async (t) => {
  for (const label of ['coat', '3', '[1, 2]']) {
    const { code, stdout } = await labels('answer', 'fashion', 'abc.def', label);
    t.equal(code, 0);
    t.match(stdout, /^joined: /);
  }
  t.same(
    labelled.map(({ label }) => label),
    ['coat', 3, [1, 2]],
  );
  const broken = await labels('answer', 'fashion', 'abc.def', '[1,');
  t.equal(broken.code, 2);
  t.match(broken.stderr, /label: expected a class name or JSON/);
});

t.test('export writes tasks in the form that is asked for', TIME, async (t) => {
  const [lines, csv, tasks, other] = await Promise.all(
    ['jsonl', 'csv', 'label-studio', 'xml'].map((format) =>
      labels('export', 'fashion', '--format', format),
    ),
  );
  t.same(JSON.parse(lines?.stdout ?? ''), { model: 'fashion', ...WANTED });
  t.equal(
    csv?.stdout,
    `token,label,requestId,askedAt,until\nabc.def,,r1,${WANTED.askedAt},${WANTED.until}\n`,
  );
  t.same(JSON.parse(tasks?.stdout ?? ''), [{ id: 1, data: { model: 'fashion', ...WANTED } }]);
  t.equal(other?.code, 2);
  t.match(other?.stderr, /--format: expected jsonl, csv, label-studio, found "xml"/);
});
