import type { RowsFinding } from '../core/rows.ts';
import { decodeProgram, type OnnxProgram, type OnnxSteps } from './onnx-schema.ts';
import { SENT, sent, type Traced } from './rows/traced.ts';
import { functionKey, Mixed, opsetsOf, ranksOf, walkGraph } from './rows/walk.ts';

/**
 * Whether something in a model's graph, subgraphs and functions included, lets the rows of a batch meet: the graph is followed
 * from the inputs, whose rows lie along axis 0, and the first node that works along the axis of the rows is named. Nodes that
 * hold nothing of what is sent (weights, shapes) are let be, but for If and Loop over sizes.
 *
 * Where the axis of the rows gets lost (a reshape to sizes that are not known, an operator without a rule), values may still be
 * moved and worked on element by element, but not be brought together, nor be an answer. The same holds for what depends on how many rows
 * there are, or where a row stands. Left to the probe at load: rows that were merged with other dimensions and are parted
 * otherwise, and places that are computed from sizes. Never throws: a graph that cannot be read or followed is `mixed`.
 */
export function rowsOfGraph(bytes: Uint8Array): RowsFinding {
  try {
    return rowsOfProgram(decodeProgram(bytes));
  } catch (cause) {
    const because = cause instanceof Mixed ? cause.message : 'its graph cannot be read';
    return { kind: 'mixed', because };
  }
}

function rowsOfProgram({ graph, functions, opset_import: imports }: OnnxProgram): RowsFinding {
  if (!graph) return { kind: 'mixed', because: 'it has no graph' };
  const ranks = ranksOf(graph);
  const values = new Map(graph.input.map(({ name }) => [name, sent(ranks.get(name), 0)]));
  walkGraph(graph, {
    functions: new Map(functions.map((each) => [functionKey(each), each])),
    opsets: opsetsOf(imports),
    settings: new Map(),
    values,
    ranks,
    depth: 0,
    work: { nodes: 0 },
  });
  return rowsInFront(graph, values);
}

/** The rows of an answer have to lie where they are cut. One that holds nothing sent is the probe's to judge. */
function rowsInFront(graph: OnnxSteps, values: ReadonlyMap<string, Traced>): RowsFinding {
  for (const { name } of graph.output) {
    const { kind, row } = values.get(name) ?? SENT;
    if (kind !== 'sent' || row === 0) continue;
    const where = row === undefined ? 'where it is not known' : `along axis ${row}`;
    return { kind: 'mixed', because: `output '${name}' holds the rows ${where}` };
  }
  return { kind: 'apart' };
}
