import t, { type Test } from 'tap';

import { HandClock } from '../../src/core/clock.ts';
import { Intake, type Source } from '../../src/protocol/intake.ts';

/** What one turn of the event loop takes, and a turn that is busy with other work. */
const TURN_BYTES = 262_144;
const BUSY_MS = 5;

/** An intake, and sources that say what became of them. */
function anIntake() {
  const clock = new HandClock();
  const news: string[] = [];
  const source = (name: string): Source => ({
    hold: () => news.push(`${name} held`),
    release: () => news.push(`${name} resumes`),
  });
  return { clock, news, source, intake: new Intake(clock) };
}

/** Once what was to be done at the end of this turn of the event loop is done. */
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

t.test('a source is held once a turn of the event loop has had its bytes', async (t: Test) => {
  const { intake, news, source } = anIntake();
  const [first, second] = [source('first'), source('second')];
  intake.took(TURN_BYTES, first);
  t.same(news, []);
  intake.took(1, second);
  intake.took(1, second);
  t.same(news, ['second held'], 'and once only');
  t.equal(intake.held, 1);
});

t.test('what is held resumes in the next turn where the loop has nothing else to do', async (t) => {
  const { intake, news, source } = anIntake();
  for (const name of ['a', 'b', 'c']) intake.took(TURN_BYTES, source(name));
  await turn();
  t.same(news, ['b held', 'c held', 'b resumes', 'c resumes']);
});

t.test('each turn lets as many resume as it has bytes for, in order of arrival', async (t) => {
  const { intake, news, source } = anIntake();
  intake.took(TURN_BYTES, source('large'));
  for (let at = 1; at <= 6; at += 1) intake.took(65_536, source(`${at}`));
  news.splice(0);
  await turn();
  t.same(news, ['1 resumes', '2 resumes', '3 resumes', '4 resumes']);
  await turn();
  t.same(news.slice(4), ['5 resumes', '6 resumes']);
});

t.test('others come first while they have work, for twice the time of the turn', async (t) => {
  const { clock, intake, news, source } = anIntake();
  intake.took(2 * TURN_BYTES, source('a'));
  clock.advance(BUSY_MS);
  await turn();
  clock.advance(BUSY_MS);
  await turn();
  t.same(news, ['a held']);
  clock.advance(BUSY_MS);
  await turn();
  t.same(news, ['a held', 'a resumes']);
});

t.test('small messages in every turn do not put off what is held', async (t) => {
  const { clock, intake, news, source } = anIntake();
  const small = source('small');
  intake.took(2 * TURN_BYTES, source('a'));
  for (let at = 0; at < 3; at += 1) {
    if (at > 0) intake.took(1, small);
    clock.advance(BUSY_MS);
    await turn();
  }
  t.same(news, ['a held', 'a resumes']);
});

t.test('a source that is closed does not resume', async (t) => {
  const { intake, news, source } = anIntake();
  const a = source('a');
  intake.took(2 * TURN_BYTES, a);
  intake.leave(a);
  await turn();
  t.same(news, ['a held']);
  t.equal(intake.held, 0);
});
