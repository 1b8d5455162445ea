import t from 'tap';
import { Schedule } from '../../src/batching/schedule.ts';

t.test('a batch that is handed ahead begins when the one before it ends', async (t) => {
  const schedule = new Schedule();
  schedule.begin(0, true, 300);
  t.equal(schedule.nextStartMs(10, false), 300);
  schedule.begin(10, false, 300);
  t.equal(schedule.nextStartMs(10, true), 10, 'another replica is free');
});

t.test('an early end moves what is behind it', async (t) => {
  const schedule = new Schedule();
  const first = schedule.begin(0, true, 300);
  const second = schedule.begin(10, false, 300);
  schedule.end(first, 200);
  t.equal(second.endMs, 500);
  t.equal(schedule.nextStartMs(210, false), 500);
});

t.test('of two replicas the one that is free first gets the next', async (t) => {
  const schedule = new Schedule();
  schedule.begin(0, true, 300);
  schedule.begin(50, true, 100);
  t.equal(schedule.nextStartMs(60, false), 150);
  schedule.begin(60, false, 500);
  t.equal(schedule.nextStartMs(60, false), 300);
});
