/**
 * Variants of the shipped model on trial, one after another, each in a gateway of its own under live requests: `npm run
 * exam:judgement`. What is worse has to be refused, and by the metric that names what is wrong; what is as good has to be promoted;
 * each within twice the requests of its plan, and without one failed live request. Exit code 1 otherwise.
 *
 * `-- --only same,hang` for some of them, `--rate 120` for other traffic than 60 requests a second, `--minutes 15` for trials that
 * take longer than 10, and `--expect same=refused` to expect otherwise, which shows that a wrong verdict is found.
 */
import { parseArgs } from 'node:util';
import { tablePrinter } from '../faults/exam-table.ts';
import { type ExamOptions, examine, readOriginal } from './exam.ts';
import { type Finding, faultsOf, verdictOf } from './finding.ts';
import { type Expected, VARIANTS, type Variant } from './variants.ts';

const { values } = parseArgs({
  options: {
    only: { type: 'string' },
    expect: { type: 'string', multiple: true, default: [] },
    rate: { type: 'string', default: '60' },
    minutes: { type: 'string', default: '10' },
  },
});

const print = tablePrinter([15, 50, 14, 26, 8, 10, 10, 8, 9, 8]);
const undo: (() => unknown)[] = [];

try {
  process.exitCode = await examineAll(variantsAsked());
} finally {
  await undoAll();
}

/** Returns the exit code. */
async function examineAll(variants: readonly Variant[]): Promise<number> {
  const expected = expectations();
  const options: ExamOptions = {
    original: await readOriginal(),
    perSecond: Number(values.rate),
    trialMsMax: Number(values.minutes) * 60_000,
  };
  const t = { teardown: (work: () => unknown): void => void undo.unshift(work) };
  print([
    'variant',
    'what it is',
    'verdict',
    'by',
    'pairs',
    'requests',
    'planned',
    'canary',
    'seconds',
    'failed',
  ]);
  let wrong = 0;
  for (const variant of variants) {
    const finding = await examine(t, variant, options);
    await undoAll();
    print(cellsOf(finding));
    const faults = faultsOf(finding, expected.get(variant.name));
    for (const fault of faults) print([`  wrong: ${fault}`]);
    if (faults.length > 0) wrong += 1;
  }
  print([]);
  print([`${variants.length} variants at ${options.perSecond} requests/s: ${wrong} wrong`]);
  return wrong === 0 ? 0 : 1;
}

function cellsOf(finding: Finding): readonly string[] {
  const { variant, decidedBy, pairs, requests, plannedRequests, canaryRequests } = finding;
  return [
    variant.name,
    variant.title,
    verdictOf(finding),
    decidedBy.join(', ') || '-',
    String(pairs),
    String(requests),
    String(plannedRequests ?? 'no end'),
    String(canaryRequests),
    finding.seconds.toFixed(1),
    String(finding.liveFailures),
  ];
}

function variantsAsked(): readonly Variant[] {
  if (values.only === undefined) return VARIANTS;
  return values.only.split(',').map(variantNamed);
}

function variantNamed(name: string): Variant {
  const variant = VARIANTS.find((one) => one.name === name);
  if (variant) return variant;
  throw new Error(`expected one of ${VARIANTS.map((one) => one.name).join(', ')}, found ${name}`);
}

/** What is expected otherwise than by the table, by name. */
function expectations(): ReadonlyMap<string, Expected> {
  return new Map(
    values.expect.map((text) => {
      const [name = '', verdict] = text.split('=');
      if (verdict !== 'promoted' && verdict !== 'refused')
        throw new Error(`--expect: expected NAME=promoted or NAME=refused, found ${text}`);
      return [variantNamed(name).name, verdict];
    }),
  );
}

async function undoAll(): Promise<void> {
  for (const work of undo.splice(0)) await work();
}
