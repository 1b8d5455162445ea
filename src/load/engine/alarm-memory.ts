export const ALARM_MEMORY_BYTES = 16;

/** Instead of a time to sleep: the thread ends. */
export const NO_MORE = -1;

/** What an alarm shares with its thread: the number of the last order, and how long to sleep by it. */
export function alarmMemory(memory: SharedArrayBuffer): {
  orders: Int32Array;
  sleepMs: Float64Array;
} {
  return { orders: new Int32Array(memory, 0, 1), sleepMs: new Float64Array(memory, 8, 1) };
}
