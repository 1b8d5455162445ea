/** Operators that pick or write elements by places that the graph computes. */
import { type Call, SENT, type Step, sent, type Traced } from './traced.ts';

export const gatherND = (call: Call): Step => {
  const [data, places] = call.inputs;
  if (!data || !places) return [SENT];
  if (data.kind !== 'sent') return [sent(undefined, places.row)];
  const skipped = call.whole('batch_dims') ?? 0;
  if (data.row !== undefined && data.row < skipped) return [sent(undefined, data.row)];
  if (isOwnRow(places, data)) return [sent(pickedRank(places, data), places.row)];
  return placesRows(places, data, 'picks') ?? [SENT];
};

export const scatterND = (call: Call): Step => {
  const [data, places, values] = call.inputs;
  if (!data || !places) return [SENT];
  if (data.kind !== 'sent') {
    return [places.kind === 'sent' ? SENT : sent(values?.rank, values?.row)];
  }
  const kept = [sent(data.rank, data.row)];
  return isOwnRow(places, data) ? kept : (placesRows(places, data, 'writes') ?? kept);
};

/** True if places begin with the number of the row that they lie in. */
function isOwnRow(places: Traced, data: Traced): boolean {
  return places.ownPlace !== undefined && data.row === 0;
}

function pickedRank({ rank, ownPlace = 0 }: Traced, data: Traced): number | undefined {
  return rank === undefined || data.rank === undefined
    ? undefined
    : rank - 1 + data.rank - ownPlace;
}

/** Those that are computed from sizes are left to the probe: they fill in parts of each row, most often. */
function placesRows(places: Traced, { row = 0 }: Traced, verb: string): string | undefined {
  return places.kind === 'sized' ? undefined : `${verb} along axis ${row}, which holds the rows`;
}
