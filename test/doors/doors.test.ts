import t from 'tap';
import { ATTACKS } from './attacks.ts';
import { DoorsExam } from './exam.ts';

t.setTimeout(120_000);

t.test('who brings no right gets nothing, and changes nothing', { timeout: 120_000 }, async (t) => {
  const exam = await DoorsExam.start(t);
  await t.test('whatever can be asked, with whatever credentials', async (t) => {
    const { requests, faults, changes } = await exam.askAll();
    t.ok(requests > 1_000);
    t.same(faults.slice(0, 20), []);
    t.same(changes, []);
  });
  await t.test('in other spellings, by other methods and with other bodies', async (t) => {
    const { faults, changes } = await exam.askAtRandom(
      2_000,
      Number(process.env['FUZZ_SEED'] ?? 1),
    );
    t.same(faults.slice(0, 20), []);
    t.same(changes, []);
  });
  for (const [name, attack] of Object.entries(ATTACKS))
    await t.test(`${name}: refused`, async (t) => {
      t.same(await exam.attack(attack), { faults: [], changes: [] });
    });
  await t.test('no key stands in the log', async (t) => {
    for (const key of Object.values(exam.keys())) t.notOk(exam.log().includes(key.slice(21)));
  });
  await t.test('an administrator gets all of it', async (t) => {
    const statuses = await exam.askAsAdministrator();
    t.ok(statuses.every((status) => status !== 401 && status !== 403 && status !== 500));
    t.ok(statuses.filter((status) => status < 300).length > statuses.length / 2, statuses.join());
  });
});

t.test('TLS opens no other way in', { timeout: 120_000 }, async (t) => {
  const exam = await DoorsExam.start(t, true);
  const { faults, changes } = await exam.askAll();
  t.same(faults.slice(0, 20), []);
  t.same(changes, []);
  for (const [name, attack] of Object.entries(ATTACKS))
    t.same(await exam.attack(attack), { faults: [], changes: [] }, name);
});
