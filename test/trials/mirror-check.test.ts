import t from 'tap';
import { HandClock } from '../../src/core/clock.ts';
import { type MirrorCounts, NO_EVIDENCE } from '../../src/core/evidence.ts';
import { MirrorCheck } from '../../src/trials/mirror-check.ts';

const counts = (over: Partial<MirrorCounts> = {}): MirrorCounts => ({
  ...NO_EVIDENCE.mirror,
  ...over,
});

function aCheck() {
  const [clock, sent] = [new HandClock(), [] as string[]];
  const check = new MirrorCheck({ clock, name: 'm-2-1', send: (id) => void sent.push(id) });
  const later = (seconds: number, mirror = counts()) => {
    clock.advance(seconds * 1000);
    return check.look(mirror);
  };
  return { check, sent, later };
}

t.test(
  'a known request is sent as the rollout begins, and again a day after it arrived',
  async (t) => {
    const { check, sent, later } = aCheck();
    t.equal(later(0).state, 'unknown');
    t.same(sent, ['m-2-1:check-1']);
    check.checked('m-2-1:check-1', 'arrived');
    t.match(later(1), { state: 'working', why: undefined });
    later(86_300);
    t.equal(sent.length, 1);
    later(100);
    t.equal(sent.length, 2);
  },
);

t.test(
  'a known request that was dropped is named, and another one is sent in a minute',
  async (t) => {
    const { check, sent, later } = aCheck();
    later(0);
    check.checked('m-2-1:check-1', 'dropped: queueFull');
    t.match(later(1), { state: 'failing', why: /did not get through .*queueFull/ });
    t.equal(sent.length, 1);
    later(60);
    check.checked('m-2-1:check-2', 'arrived');
    t.match(later(1), { state: 'working', why: undefined });
  },
);

t.test('a known request of which nothing is heard is missed within a minute', async (t) => {
  const { check, later } = aCheck();
  later(0);
  t.equal(later(20).state, 'unknown');
  t.match(later(20), { state: 'failing', why: /lost in the mirror/ });
  check.checked('m-2-1:check-1', 'arrived');
  t.equal(later(1).state, 'failing', 'a late one says nothing of now');
});

t.test('a mirror that compares none of what it sampled is reported within a minute', async (t) => {
  const { check, later } = aCheck();
  later(0);
  check.checked('m-2-1:check-1', 'arrived');
  t.equal(later(1, counts({ compared: 5 })).state, 'working');
  t.equal(later(30, counts({ compared: 5, dropped: { brownout: 40 } })).state, 'working');
  t.match(later(30, counts({ compared: 5, dropped: { brownout: 90 } })), {
    state: 'failing',
    why: 'the mirror has carried nothing for 60 s: of 90 sampled requests none was compared',
  });
  t.equal(later(1, counts({ compared: 6, dropped: { brownout: 90 } })).state, 'working');
});

t.test('no traffic is no fault of the mirror', async (t) => {
  const { check, later } = aCheck();
  later(0);
  check.checked('m-2-1:check-1', 'arrived');
  t.equal(later(3_600, counts({ compared: 5 })).state, 'working');
  t.equal(later(3_600, counts({ compared: 5 })).state, 'working');
});

t.test('live requests that get through outweigh a known one that did not', async (t) => {
  const { check, later } = aCheck();
  later(0, counts({ compared: 1 }));
  check.checked('m-2-1:check-1', 'timedOut');
  t.equal(later(1, counts({ compared: 1 })).state, 'failing');
  t.not(later(1, counts({ compared: 2 })).state, 'failing');
});

t.test('a step that mirrors nothing has no mirror to fail', async (t) => {
  const { check, later } = aCheck();
  later(0);
  check.checked('m-2-1:check-1', 'notMirrored');
  t.equal(later(1).state, 'unknown');
});
