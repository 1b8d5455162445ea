import { createLogUpdate } from 'log-update';
import type { LoadOrder } from '../../load/modes/bench.ts';
import type { LoadProgress } from '../../load/nouns/load-report.ts';
import { liveLines } from '../../load/report/live-view.ts';
import { writeErr } from '../standard-output.ts';
import { columnsOf } from '../wrapped.ts';

/** As many as the widest sparkline has columns. */
const HISTORY = 60;

/** What a mode says while it works: lines of text, and on a terminal the load under way below them. */
export type Live = {
  readonly print: (line: string) => void;
  readonly watch: (progress: LoadProgress, order: LoadOrder) => void;
  readonly done: () => void;
};

/** Goes to standard error, so that standard output holds the result alone. */
export function openLive(inFlightMax: number): Live {
  const stream = process.stderr;
  const view = stream.isTTY ? createLogUpdate(stream) : undefined;
  let p99History: number[] = [];
  let watched: LoadOrder | undefined;
  return {
    print: (line) => {
      view?.clear();
      writeErr(`${line}\n`);
    },
    watch: (progress, order) => {
      if (order !== watched) p99History = [];
      watched = order;
      p99History = [...p99History, progress.p99Ms].slice(-HISTORY);
      const offeredPerSecond = steadyRate(order);
      const columns = columnsOf(stream);
      const context = { name: '', offeredPerSecond, inFlightMax, p99History, columns };
      view?.(liveLines(progress, context).join('\n'));
    },
    done: () => {
      view?.clear();
      view?.done();
    },
  };
}

/** undefined where it changes, or waits for answers. */
function steadyRate({ arrivals }: LoadOrder): number | undefined {
  return arrivals.kind === 'open' && arrivals.rate.kind === 'steady'
    ? arrivals.rate.perSecond
    : undefined;
}
