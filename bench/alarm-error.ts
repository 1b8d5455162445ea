import { systemClock } from '../src/core/clock.ts';
import { type Alarm, openAlarm, TimerAlarm } from '../src/load/engine/alarm.ts';
import { interleave, ratioSpread } from './blocks.ts';
import type { Figure } from './figure.ts';

const WAITS = 50;
/** Moments that are due between two whole milliseconds, which a timer misses. */
const AFTER_MS = 2.3;

/** By how much the generator's alarm misses its moment, compared with a timer, which may be early too: its error of sending. */
export async function measureAlarm(rounds: number): Promise<Figure> {
  const precise = await openAlarm(systemClock);
  const alarms = { alarm: precise, timer: new TimerAlarm(systemClock) };
  try {
    const errors = await interleave(['alarm', 'timer'] as const, rounds, (kind) =>
      medianError(alarms[kind]),
    );
    return {
      name: 'an alarm misses its moment by / a timer, p50',
      unit: 'ratio',
      spread: ratioSpread(errors.alarm, errors.timer),
      goal: { atMost: 0.8 },
    };
  } finally {
    precise.close();
  }
}

async function medianError(alarm: Alarm): Promise<number> {
  const errors: number[] = [];
  for (let wait = 0; wait < WAITS; wait += 1) {
    const atMs = systemClock.monotonicMs() + AFTER_MS + wait / WAITS;
    await alarm.until(atMs);
    errors.push(Math.abs(systemClock.monotonicMs() - atMs));
  }
  return errors.sort((a, b) => a - b)[WAITS / 2] ?? Number.NaN;
}
