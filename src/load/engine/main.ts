/**
 * The load generator as a process of its own, so that it shares neither an event loop nor a heap with what it loads. Started
 * with `fork` by `Generator`; runs one load after another, and ends when its parent lets go of it.
 */

import { deferred } from '../../concurrency/deferred.ts';
import { systemClock } from '../../core/clock.ts';
import { causeMessageOf } from '../../core/errors.ts';
import type { LoadPlan } from '../nouns/plan.ts';
import { answerChecker } from '../requests/check-answer.ts';
import { senderFor } from '../wire/open-sender.ts';
import type { GeneratorNews, GeneratorOrder, GeneratorPart } from './generator-message.ts';
import type { Load } from './load.ts';
import type { Pulse } from './pulse.ts';
import { runPart } from './run-load.ts';

let begun = deferred<number>();
let ended = new AbortController();

process.on('message', (order: GeneratorOrder) => {
  switch (order.kind) {
    case 'load':
      begun = deferred();
      ended = new AbortController();
      void obey(order.part).then(send);
      break;
    case 'begin':
      begun.resolve(order.wallMs - systemClock.wallMs() + systemClock.monotonicMs());
      break;
    case 'end':
      ended.abort();
  }
});
process.on('disconnect', () => process.exit());
// A terminal interrupts all of its processes; the parent decides what that means for the load.
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => undefined);

async function obey({ plan, of, at, isWatched }: GeneratorPart): Promise<GeneratorNews> {
  try {
    const busy = new BusyTime();
    const begin = async (): Promise<number> => {
      send({ kind: 'ready' });
      const startMs = await begun.promise;
      busy.countFrom(startMs);
      return startMs;
    };
    const onPulse = (pulse: Pulse): void => send({ kind: 'pulse', pulse });
    const part = { of, at, begin, ...(isWatched && { onPulse }) };
    const share = await runPart(loadOf(plan), part, { clock: systemClock });
    return { kind: 'done', share: { ...share, busyRatio: busy.ratio } };
  } catch (error) {
    return { kind: 'failed', message: causeMessageOf(error) };
  }
}

/** How much of the time this process's event loop had something to do. */
class BusyTime {
  #before = performance.eventLoopUtilization();

  /** From a moment of the monotonic clock that is still to come. */
  countFrom(startMs: number): void {
    setTimeout(
      () => {
        this.#before = performance.eventLoopUtilization();
      },
      Math.max(0, startMs - systemClock.monotonicMs()),
    );
  }

  get ratio(): number {
    return performance.eventLoopUtilization(this.#before).utilization;
  }
}

/** The plan's requests in turn, from here. */
function loadOf({ wire, requests, check, ...times }: LoadPlan): Load {
  const differs = check && answerChecker(check);
  return {
    ...times,
    sender: senderFor(wire),
    next: (place) => requests[place % requests.length],
    ...(differs && {
      check: (place, answer) => differs(place % requests.length, answer.body, answer.head),
    }),
    signal: ended.signal,
  };
}

function send(news: GeneratorNews): void {
  if (process.connected) process.send?.(news);
}
