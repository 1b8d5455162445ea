import t, { type Test } from 'tap';
import { type Deferred, deferred } from '../../../src/concurrency/deferred.ts';
import { systemClock } from '../../../src/core/clock.ts';
import { type Alarm, openAlarm, TimerAlarm } from '../../../src/load/engine/alarm.ts';
import type { Load } from '../../../src/load/engine/load.ts';
import { runLoad } from '../../../src/load/engine/run-load.ts';
import { constant } from '../../../src/load/nouns/arrivals.ts';
import type { LoadReport } from '../../../src/load/nouns/load-report.ts';
import type { Answer, Sender } from '../../../src/load/nouns/sender.ts';

const OK: Answer = { error: undefined, head: '', body: Buffer.from('ok') };

/** A sender without a wire: the n-th request, from 0, is answered as given. */
class HandSender implements Sender {
  readonly sent: Uint8Array[] = [];
  readonly abandoned: Promise<Answer>[] = [];
  opened = 0;
  closed = false;
  readonly #plans: { readonly ms: number; readonly act: () => void }[] = [];
  #inFlight = 0;
  inFlightMax = 0;
  readonly #answer: (n: number) => Answer | Promise<Answer>;

  constructor(answer: (n: number) => Answer | Promise<Answer> = () => OK) {
    this.#answer = answer;
  }

  async open(inFlight: number): Promise<void> {
    this.opened = inFlight;
    for (const { ms, act } of this.#plans) setTimeout(act, ms);
  }

  /** So long after the load begins, which it does when the sender is open: a thread may have to be started before. */
  after(ms: number, act: () => void): void {
    this.#plans.push({ ms, act });
  }

  async send(request: Uint8Array): Promise<Answer> {
    this.sent.push(request);
    this.#inFlight += 1;
    this.inFlightMax = Math.max(this.inFlightMax, this.#inFlight);
    try {
      return await this.#answer(this.sent.length - 1);
    } finally {
      this.#inFlight -= 1;
    }
  }

  abandon(answer: Promise<Answer>): void {
    this.abandoned.push(answer);
  }

  close(): void {
    this.closed = true;
  }
}

function run(sender: Sender, fields: Partial<Load> = {}): Promise<LoadReport> {
  const load: Load = {
    sender,
    next: (place) => Buffer.from(String(place)),
    arrivals: constant(200),
    inFlightMax: 50,
    durationMs: 400,
    warmupMs: 0,
    deadlineMs: 1_000,
    timeoutMs: 5_000,
    seed: 7,
    ...fields,
  };
  return runLoad(load, { clock: systemClock });
}

function refused(error: string): Answer {
  return { ...OK, error };
}

function lost(code: string): Promise<Answer> {
  return Promise.reject(Object.assign(new Error('lost'), { code }));
}

t.test('an open-loop load offers what it was asked for, in order', async (t) => {
  const sender = new HandSender();
  const { measured, timeline, durationMs } = await run(sender);
  t.same([measured.offered, measured.ok, measured.good], [80, 80, 80]);
  t.equal(measured.offeredPerSecond, 200);
  t.same(
    sender.sent.map(String),
    Array.from({ length: 80 }, (_, place) => String(place)),
  );
  t.same(
    timeline.map(({ offered }) => offered),
    [20, 20, 20, 20],
  );
  t.equal(durationMs, 400);
  t.ok(sender.closed);
});

// A closed loop would send one request, wait, and report one slow answer.
t.test('a stall is felt by every request that should have started during it', async (t) => {
  const stall = deferred<Answer>();
  const sender = new HandSender((n) => (n === 10 ? stall.promise : OK));
  sender.after(300, () => stall.resolve(OK));
  const { measured, notes } = await run(sender, { inFlightMax: 1, deadlineMs: 50 });
  t.equal(sender.inFlightMax, 1);
  t.ok(measured.latency.p90Ms > 100, `p90 ${measured.latency.p90Ms} ms`);
  t.ok(measured.service.p90Ms < 50, `service p90 ${measured.service.p90Ms} ms`);
  t.ok(measured.good < measured.ok, 'what came after the deadline is not good');
  t.equal(measured.ok, 80, 'none is left out');
  t.ok(measured.lag.count < 80, 'what waited for room says nothing of the generator');
  t.match(notes, [/waited because 1 were in flight already/]);
});

t.test('errors are counted by their kind, and kinds are bounded', async (t) => {
  const some = await run(
    new HandSender((n) => {
      if (n % 4 === 0) return refused('503');
      if (n % 4 === 1) return lost('ECONNRESET');
      return n % 4 === 2 ? Promise.reject(new Error('nothing there')) : OK;
    }),
  );
  t.same(some.measured.errors, {
    503: 20,
    'connection: ECONNRESET': 20,
    'connection: nothing there': 20,
  });
  t.equal(some.measured.latency.count, 20, 'latency is of successes');
  const many = await run(new HandSender((n) => refused(`kind ${n}`)));
  t.equal(Object.keys(many.measured.errors).length, 33);
  t.equal(many.measured.errors['other'], 80 - 32);
});

t.test('an answer that is not what it must be is an error, with examples', async (t) => {
  const { measured, wrongExamples } = await run(new HandSender(), {
    check: (place, { body }) => (place % 10 === 0 ? `found ${body.toString()}` : undefined),
  });
  t.same(measured.errors, { 'wrong answer': 8 });
  t.same(
    wrongExamples,
    [0, 10, 20, 30, 40].map((place) => `request ${place}: found ok`),
  );
});

t.test('an answer that does not come is given up after its time, once', async (t) => {
  const answers: Deferred<Answer>[] = [];
  const sender = new HandSender((n) => {
    if (n % 10 !== 0) return OK;
    answers.push(deferred());
    return answers.at(-1)?.promise ?? OK;
  });
  sender.after(250, () => answers[0]?.resolve(OK));
  const { measured } = await run(sender, { timeoutMs: 100 });
  t.same(measured.errors, { timeout: 8 }, 'also the one that was answered later');
  t.equal(measured.ok, 72);
  t.equal(sender.abandoned.length, 8);
});

t.test('what still waits a time-out after the end was not sent', async (t) => {
  const never = new Promise<Answer>(() => undefined);
  const sender = new HandSender(() => never);
  const { measured } = await run(sender, { inFlightMax: 2, durationMs: 100, timeoutMs: 300 });
  t.equal(measured.offered, 20);
  t.equal((measured.errors['timeout'] ?? 0) + (measured.errors['not sent'] ?? 0), 20);
  t.ok((measured.errors['not sent'] ?? 0) >= 14);
});

t.test('the warm-up is kept apart', async (t) => {
  const { measured, warmup, timeline, answersPerSecond } = await run(
    new HandSender((n) => (n < 20 ? refused('503') : OK)),
    { warmupMs: 100 },
  );
  t.match(warmup, { offered: 20, ok: 0, errors: { 503: 20 } });
  t.match(measured, { offered: 60, ok: 60, offeredPerSecond: 200 });
  t.same(measured.errors, {});
  t.same(
    timeline.map(({ warmup: isWarmup }) => isWarmup),
    [true, false, false, false],
  );
  t.ok(Math.abs(answersPerSecond - 200) < 20);
});

t.test('a closed loop keeps its concurrency, and ends when nothing is left to send', async (t) => {
  const sender = new HandSender(() => new Promise((answer) => setImmediate(() => answer(OK))));
  const { measured, durationMs, warnings } = await run(sender, {
    arrivals: { kind: 'closed', concurrency: 3 },
    durationMs: 60_000,
    next: (place) => (place < 100 ? Buffer.from('x') : undefined),
  });
  t.same([measured.ok, sender.inFlightMax, sender.opened], [100, 3, 3]);
  t.ok(durationMs < 10_000, 'its duration is what it really took');
  t.same(warnings, []);
});

t.test('a closed loop does not storm a server that is down', async (t) => {
  const sender = new HandSender(() => lost('ECONNREFUSED'));
  const { measured } = await run(sender, { arrivals: { kind: 'closed', concurrency: 2 } });
  t.ok(sender.sent.length >= 2 && sender.sent.length <= 12, `${sender.sent.length} requests`);
  t.same(measured.errors, { 'connection: ECONNREFUSED': sender.sent.length });
});

t.test('a load that is ended early awaits its answers and reports', async (t) => {
  for (const arrivals of [constant(200), { kind: 'closed', concurrency: 2 } as const]) {
    const stop = new AbortController();
    const slow = deferred<Answer>();
    const sender = new HandSender((n) => (n === 0 ? slow.promise : pause(5)));
    sender.after(150, () => stop.abort());
    sender.after(250, () => slow.resolve(OK));
    const load = { arrivals, durationMs: 60_000, signal: stop.signal };
    const { measured, durationMs, notes, answersPerSecond } = await run(sender, load);
    const inTime = Math.round((answersPerSecond * durationMs) / 1000);
    t.ok(inTime < measured.ok, 'what came after the end is not of its time');
    t.ok(measured.offered > 5);
    t.equal(measured.ok, measured.offered);
    t.ok(durationMs > 30 && durationMs < 10_000, `${durationMs} ms`);
    t.match(notes?.join(), /The load ended after .* of 60.0 s/);
  }
});

t.test('what is due when a load is ended early is still sent', async (t) => {
  const stop = new AbortController();
  const slow = deferred<Answer>();
  const sender = new HandSender(() => slow.promise);
  sender.after(150, () => stop.abort());
  sender.after(200, () => slow.resolve(OK));
  const load = { inFlightMax: 2, durationMs: 60_000, signal: stop.signal };
  const { measured } = await run(sender, load);
  t.ok(measured.offered > 2, 'more than had room');
  t.equal(measured.ok, measured.offered);
});

t.test('a server that takes no connection keeps no load from beginning', async (t) => {
  const senders = [
    Object.assign(new HandSender(() => lost('ECONNREFUSED')), {
      open: () => Promise.reject(new Error('refused')),
    }),
    Object.assign(new HandSender(() => lost('ECONNREFUSED')), {
      open: () => new Promise<void>(() => undefined),
    }),
  ];
  for (const sender of senders) {
    const { measured } = await run(sender, { timeoutMs: 100 });
    t.same(measured.errors, { 'connection: ECONNREFUSED': 80 });
  }
});

function pause(ms: number): Promise<Answer> {
  return new Promise((resolve) => setTimeout(() => resolve(OK), ms));
}

t.test('the caller of a load sees each answer with its place', async (t) => {
  const seen: [number, string][] = [];
  await run(new HandSender((n) => (n === 1 ? refused('500') : OK)), {
    durationMs: 20,
    onAnswer: ({ error }, { place, latencyMs }) => {
      t.ok(latencyMs >= 0);
      seen.push([place, error ?? 'fine']);
    },
  });
  t.same(seen, [
    [0, 'fine'],
    [1, '500'],
    [2, 'fine'],
    [3, 'fine'],
  ]);
});

t.test('a generator that is kept busy warns of its own figures', async (t) => {
  const { measured, warnings } = await run(new HandSender(), {
    arrivals: constant(2_000),
    inFlightMax: 10_000,
    check: () => {
      const untilMs = systemClock.monotonicMs() + 5;
      while (systemClock.monotonicMs() < untilMs);
      return undefined;
    },
  });
  t.equal(measured.offered, 800, 'what it did not get to was offered all the same');
  t.match(warnings[0], /were sent in time, though there was room/);
  t.ok((measured.errors['not sent'] ?? 0) > 8);
});

async function theAlarm(t: Pick<Test, 'teardown'>): Promise<Alarm> {
  const alarm = await openAlarm(systemClock);
  t.teardown(() => alarm.close());
  return alarm;
}

// How late it rings is measured by the suite `honesty` of the bench, against a timer.
t.test('the alarm never rings early by itself', async (t) => {
  const alarm = await theAlarm(t);
  const earlyMs: number[] = [];
  for (let round = 0; round < 50; round += 1) {
    const atMs = systemClock.monotonicMs() + 2.3 + round / 50;
    await alarm.until(atMs);
    earlyMs.push(atMs - systemClock.monotonicMs());
  }
  t.same(
    earlyMs.filter((ms) => ms > 0),
    [],
  );
});

t.test('an alarm rings early on request, and a later wait is not confused by it', async (t) => {
  for (const alarm of [await theAlarm(t), new TimerAlarm(systemClock)]) {
    const startMs = systemClock.monotonicMs();
    setTimeout(() => alarm.ring(), 5);
    await alarm.until(startMs + 60_000);
    t.ok(systemClock.monotonicMs() - startMs < 30_000);
    const soon = alarm.until(systemClock.monotonicMs() + 3);
    alarm.ring();
    await soon;
    const atMs = systemClock.monotonicMs() + 20;
    await alarm.until(atMs);
    // A timer counts from when the event loop last looked at its clock.
    t.ok(systemClock.monotonicMs() >= atMs - 10);
  }
});
