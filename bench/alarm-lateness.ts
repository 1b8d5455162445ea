import { systemClock } from '../src/core/clock.ts';
import { type Alarm, openAlarm, TimerAlarm } from '../src/load/engine/alarm.ts';
import { interleave, ratioSpread } from './blocks.ts';
import type { Figure } from './figure.ts';

const WAITS = 50;
/** Moments that are due between two whole milliseconds, where a timer is late. */
const AFTER_MS = 2.3;

/** How late the generator's alarm rings, compared with a timer: the delay between due time and sending. */
export async function measureAlarm(rounds: number): Promise<Figure> {
  const precise = await openAlarm(systemClock);
  const alarms = { alarm: precise, timer: new TimerAlarm(systemClock) };
  try {
    const late = await interleave(['alarm', 'timer'] as const, rounds, (kind) =>
      medianLateness(alarms[kind]),
    );
    return {
      name: 'an alarm rings late by / a timer, p50',
      unit: 'ratio',
      spread: ratioSpread(late.alarm, late.timer),
      goal: { atMost: 0.8 },
    };
  } finally {
    precise.close();
  }
}

async function medianLateness(alarm: Alarm): Promise<number> {
  const late: number[] = [];
  for (let wait = 0; wait < WAITS; wait += 1) {
    const atMs = systemClock.monotonicMs() + AFTER_MS + wait / WAITS;
    await alarm.until(atMs);
    late.push(systemClock.monotonicMs() - atMs);
  }
  return late.sort((a, b) => a - b)[WAITS / 2] ?? Number.NaN;
}
