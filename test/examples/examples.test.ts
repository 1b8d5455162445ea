import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { HandClock } from '../../src/core/clock.ts';
import type { ExampleSetting } from '../../src/core/example-setting.ts';
import { seededRandom } from '../../src/core/random.ts';
import { Examples } from '../../src/examples/examples.ts';
import { until } from '../support/until.ts';
import { aFolder, anExample, KEEP_BODIES } from './builders.ts';

function someExamples(t: Test, folder: string, setting: ExampleSetting = KEEP_BODIES) {
  const clock = new HandClock();
  const lost: string[] = [];
  const examples = new Examples({
    ...{ clock, folder, random: seededRandom(1), setting: () => setting },
    onLost: (model, reason) => lost.push(`${model} ${reason}`),
    onError: (error) => {
      throw error;
    },
  });
  t.teardown(() => examples.close());
  return { examples, clock, lost };
}

t.test('what is not open yet loses its examples with a count', async (t) => {
  const { examples, lost } = someExamples(t, join(aFolder(t), 'examples'));
  t.notOk(examples.of('fashion').put(anExample('q1')));
  t.same(lost, ['fashion closed']);
});

t.test(
  'a unit is found again by another process, and its hash by no one without the folder',
  async (t) => {
    const folder = join(aFolder(t), 'examples');
    const first = someExamples(t, folder);
    await first.examples.open();
    const before = first.examples.of('fashion');
    await until('it is open', () => before.isOpen);
    before.put(anExample('q1', { unit: 'ann' }));
    await first.examples.close();
    const next = someExamples(t, folder);
    await next.examples.open();
    const store = next.examples.of('fashion');
    t.ok(store.find('q1'));
    const elsewhere = someExamples(t, join(aFolder(t), 'examples'));
    await elsewhere.examples.open();
    const other = elsewhere.examples.of('fashion');
    await until('it is open', () => other.isOpen);
    other.put(anExample('q1', { unit: 'ann' }));
    t.not(other.find('q1')?.unit, store.find('q1')?.unit);
    t.equal(await store.forget('ann'), 1);
    t.equal(statSync(folder).mode & 0o777, 0o700);
    t.equal(statSync(join(folder, '.secret')).mode & 0o777, 0o600);
  },
);

t.test('no name of a model leads out of the folder', async (t) => {
  const root = aFolder(t);
  const folder = join(root, 'examples');
  const { examples } = someExamples(t, folder);
  await examples.open();
  const names = ['..', '../../x', 'a/b', '.secret', 'naïve model', 'x'.repeat(900), 'C:\\x'];
  for (const name of names) {
    const store = examples.of(name);
    await until('it is open', () => store.isOpen);
    t.ok(store.put(anExample('q1')), name);
  }
  await examples.close();
  t.same(readdirSync(root), ['examples']);
  const folders = readdirSync(folder).filter((name) => name !== '.secret');
  t.equal(folders.length, names.length);
  for (const name of folders) t.equal(readdirSync(join(folder, name)).length, 1, name);
  t.ok(readFileSync(join(folder, '.secret')).byteLength >= 32);
});

t.test('examples of a model that is gone end with their age', async (t) => {
  const folder = join(aFolder(t), 'examples');
  const first = someExamples(t, folder);
  await first.examples.open();
  const before = first.examples.of('gone');
  await until('it is open', () => before.isOpen);
  before.put(anExample('q1'));
  await first.examples.close();
  const next = someExamples(t, folder);
  next.clock.advance(8 * 86_400_000);
  await next.examples.open();
  await until('deleted', () => readdirSync(join(folder, 'gone')).length === 0);
});
