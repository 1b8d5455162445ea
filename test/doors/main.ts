/**
 * Requests without rights, at random, and the attacks of a list, on every port of a gateway with authentication, with and without TLS:
 * `npm run exam:doors -- --requests 100000 --seed 1`. Fails where one is answered otherwise than with a refusal, or anything has changed
 * afterwards.
 */
import { parseArgs } from 'node:util';
import { ATTACKS } from './attacks.ts';
import { DoorsExam, type Finding } from './exam.ts';

const { values } = parseArgs({
  options: {
    requests: { type: 'string', default: '100000' },
    seed: { type: 'string', default: '1' },
  },
});

const works: (() => unknown)[] = [];
try {
  const teardown = { teardown: (work: () => unknown) => works.push(work) };
  const exam = await DoorsExam.start(teardown);
  const findings = [
    report('everything, by every stranger', await exam.askAll()),
    report('at random', await exam.askAtRandom(Number(values.requests), Number(values.seed))),
  ];
  let isHeld = true;
  for (const isSecure of [false, true]) {
    const gateway = isSecure ? await DoorsExam.start(teardown, true) : exam;
    if (isSecure) findings.push(report('everything, over TLS', await gateway.askAll()));
    for (const [name, attack] of Object.entries(ATTACKS)) {
      const { faults, changes } = await gateway.attack(attack);
      const all = [...faults, ...changes];
      isHeld &&= all.length === 0;
      const where = isSecure ? ', over TLS' : '';
      process.stdout.write(`${name}${where}: ${all.length === 0 ? 'refused' : 'GOT IN'}\n`);
      for (const line of all.slice(0, 20)) process.stdout.write(`  ${line}\n`);
    }
  }
  const statuses = await exam.askAsAdministrator();
  const done = statuses.filter((status) => status < 300).length;
  process.stdout.write(`as administrator: ${done} of ${statuses.length} carried out\n`);
  process.exitCode = findings.every(isGood) && isHeld && done > statuses.length / 2 ? 0 : 1;
} finally {
  for (const work of works.reverse()) await work();
}

function isGood({ faults, changes }: Finding): boolean {
  return faults.length === 0 && changes.length === 0;
}

function report(name: string, finding: Finding): Finding {
  const { requests, statuses, faults, changes } = finding;
  const counts = Object.entries(statuses).map(([status, count]) => `${status} x ${count}`);
  process.stdout.write(
    `${name}: ${requests} requests, ${faults.length} faults\n  ${counts.join(', ')}\n`,
  );
  for (const line of [...faults.slice(0, 20), ...changes]) process.stdout.write(`  ${line}\n`);
  return finding;
}
