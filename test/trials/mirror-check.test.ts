import t from 'tap';
import { HandClock } from '../../src/core/clock.ts';
import { type MirrorCounts, NO_EVIDENCE } from '../../src/core/evidence.ts';
import { MirrorCheck } from '../../src/trials/mirror-check.ts';

const LONGEST_MS = 65_000;

/** A mirror of which each look reads what became of its requests so far, a second after the other. */
function aCheck() {
  const [clock, sent] = [new HandClock(), [] as string[]];
  const check = new MirrorCheck({
    clock,
    name: 'm-2-1',
    longestMs: LONGEST_MS,
    send: (id) => void sent.push(id),
  });
  const later = (seconds: number, over: Partial<MirrorCounts> = {}) => {
    const mirror = { ...NO_EVIDENCE.mirror, ...over };
    for (let second = 1; second < seconds; second += 1) {
      clock.advance(1_000);
      check.look(mirror);
    }
    clock.advance(Math.min(1, seconds) * 1_000);
    return check.look(mirror);
  };
  const lastSent = (): string => sent.at(-1) ?? '';
  return { check, clock, sent, later, lastSent };
}

/** One whose known request arrived after this time. */
function aWorking(tookMs: number) {
  const made = aCheck();
  made.later(0);
  made.clock.advance(tookMs);
  made.check.checked(made.lastSent(), 'arrived');
  return made;
}

t.test('a known request is sent as the rollout begins, and again a day after', async (t) => {
  const { check, clock, sent, later } = aCheck();
  t.equal(later(0).state, 'unknown');
  t.same(sent, ['m-2-1:check-1']);
  check.checked('m-2-1:check-1', 'arrived');
  t.match(later(1), { state: 'working', why: undefined });
  clock.advance(86_300_000);
  later(1);
  t.equal(sent.length, 1);
  clock.advance(100_000);
  later(1);
  t.equal(sent.length, 2);
});

t.test('known requests that are dropped one after another are named within a minute', async (t) => {
  const { check, later, lastSent } = aWorking(50);
  const drop = (): void => {
    if (!lastSent().endsWith('-1')) check.checked(lastSent(), 'dropped: queueFull');
  };
  later(1, { compared: 5 });
  later(1, { compared: 5, dropped: { queueFull: 1 } });
  for (let second = 0; second < 18; second += 1) {
    drop();
    t.equal(later(1, { compared: 5, dropped: { queueFull: 1 } }).state, 'working');
  }
  for (let second = 0; second < 4; second += 1) {
    drop();
    later(1, { compared: 5, dropped: { queueFull: 1 } });
  }
  t.match(later(1, { compared: 5, dropped: { queueFull: 1 } }), {
    state: 'failing',
    why: /did not get through .*queueFull/,
  });
  later(10, { compared: 5, dropped: { queueFull: 1 } });
  check.checked(lastSent(), 'arrived');
  t.match(later(1, { compared: 5, dropped: { queueFull: 1 } }), { state: 'working' });
});

t.test('one lost sample of a quiet model is no fault: a known request still arrives', async (t) => {
  const { check, sent, later, lastSent } = aWorking(50);
  later(1, { compared: 5 });
  later(600, { compared: 5 });
  later(1, { compared: 5, dropped: { expired: 1 } });
  t.equal(sent.length, 2, 'one was sent at once');
  check.checked(lastSent(), 'arrived');
  t.equal(later(600, { compared: 5, dropped: { expired: 1 } }).state, 'working');
  t.equal(sent.length, 2);
});

t.test('a shadow host that stopped is missed within a minute, busy or not', async (t) => {
  const busy = aWorking(50);
  busy.later(1, { compared: 500 });
  t.match(busy.later(55, { compared: 500, dropped: { expired: 900 } }), {
    state: 'failing',
    why: /900 sampled requests none was compared|lost in the mirror/,
  });

  const slowTraffic = aWorking(50);
  slowTraffic.later(1, { compared: 5 });
  slowTraffic.check.drawn('r1');
  t.match(slowTraffic.later(55, { compared: 5 }), {
    state: 'failing',
    why: 'a known request was lost in the mirror: it did not arrive within 20 s',
  });
});

t.test('a slow model is not missed before its copies may take no longer', async (t) => {
  const fresh = aCheck();
  fresh.check.drawn('r1');
  t.equal(fresh.later(65, { dropped: { expired: 200 } }).state, 'unknown', 'the first one runs');
  fresh.check.settled('r1', 'paired');
  fresh.check.checked('m-2-1:check-1', 'arrived');
  t.equal(fresh.later(1, { compared: 1, dropped: { expired: 200 } }).state, 'working');
  t.equal(fresh.later(60, { compared: 1, dropped: { expired: 400 } }).state, 'working');

  const stopped = aCheck();
  t.equal(stopped.later(65).state, 'unknown');
  const { state, why } = stopped.later(80);
  t.same([state, /lost in the mirror/.test(why ?? '')], ['failing', true]);
});

t.test('a busy mirror that carries some of what it samples works', async (t) => {
  const { later } = aWorking(50);
  for (let look = 1; look <= 300; look += 1) {
    const mirror = { compared: Math.floor(look / 15), dropped: { brownout: 40 * look } };
    t.not(later(1, mirror).state, 'failing');
  }
});

t.test('live requests of which none is compared outweigh known ones that arrive', async (t) => {
  const { check, later, lastSent } = aWorking(50);
  later(1, { compared: 5 });
  let state = '';
  for (let second = 1; second <= 50; second += 1) {
    ({ state } = later(1, { compared: 5, failed: second }));
    check.checked(lastSent(), 'arrived');
  }
  t.equal(state, 'failing');
  t.match(later(1, { compared: 5, failed: 51 }).why, /carried nothing for .* none was compared/);
  t.equal(later(1, { compared: 6, failed: 51 }).state, 'working');
});

t.test('no traffic is no fault of the mirror', async (t) => {
  const { later } = aWorking(50);
  t.equal(later(3_600, { compared: 5 }).state, 'working');
});

t.test('a step that mirrors nothing has no mirror to fail', async (t) => {
  const { check, later } = aCheck();
  later(0);
  check.checked('m-2-1:check-1', 'notMirrored');
  t.equal(later(100).state, 'unknown');
});
