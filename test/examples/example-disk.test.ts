import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { aDisk, aFreezableDisk, noDisk, noFreezableDisk } from '../support/a-disk.ts';
import { until } from '../support/until.ts';
import { anExample, aStore, someBytes } from './builders.ts';

t.test('a full disk loses examples with a count, and nothing else', { skip: noDisk }, async (t) => {
  const { path, fill } = aDisk(t, 256);
  const { store, disk, lost, errors, folder } = await aStore(t, { folder: path });
  t.ok(store.put(anExample('q1', { inputs: [someBytes(20_000)] })));
  await disk.idle();
  const empty = await fill();
  for (const id of ['q2', 'q3']) store.put(anExample(id, { inputs: [someBytes(20_000)] }));
  await disk.idle();
  t.same(lost, ['disk', 'disk']);
  t.equal(errors.length, 1, 'reported once');
  t.equal(store.find('q2'), undefined);
  t.ok(await store.body(store.find('q1')?.id ?? ''));
  t.equal(readdirSync(folder).length, 1, 'nothing half-written');
  await empty();
  store.put(anExample('q4'));
  await disk.idle();
  t.ok(await store.body(store.find('q4')?.id ?? ''));
  t.equal(store.lost, 2);
});

t.test(
  'a disk that hangs holds up no caller, and what it was given is lost once',
  { skip: noFreezableDisk },
  async (t) => {
    const { path, freeze } = aFreezableDisk(t, 4_096);
    const { store, lost, folder } = await aStore(t, { folder: path });
    const thaw = freeze();
    const begun = performance.now();
    let taken = 0;
    for (let index = 0; index < 1_000; index += 1) {
      if (store.put(anExample(`q${index}`, { inputs: [someBytes(1_000)] }))) taken += 1;
    }
    t.ok(performance.now() - begun < 2_000, 'no call waits for the disk');
    t.equal(taken, 256, 'what waits is bounded');
    t.equal(lost.length, 1_000 - taken);
    await until('the disk is given up', () => lost.length === 1_000);
    t.notOk(store.put(anExample('late')), 'nothing more is given to it');
    thaw();
    await until('it is used again', () => store.put(anExample(`again${performance.now()}`)));
    await until('a file is there', () =>
      readdirSync(folder).some((name) => name.endsWith('.example')),
    );
    t.same(
      readdirSync(join(folder)).filter((name) => name.endsWith('.tmp')),
      [],
    );
  },
);
