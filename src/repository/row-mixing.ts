import type { RowsFinding } from '../core/rows.ts';
import { decodeProgram, type OnnxProgram, type OnnxSteps } from './onnx-schema.ts';
import { sent } from './rows/traced.ts';
import { functionKey, Mixed, opsetsOf, ranksOf, walkGraph } from './rows/walk.ts';

/**
 * Whether something in a model's graph, subgraphs and functions included, lets the rows of a batch meet: the graph is followed
 * from the inputs, whose rows lie along axis 0, and the first node that works along the axis of the rows is named. Nodes that
 * hold nothing of what is sent (weights, shapes) are let be, but for If and Loop over sizes.
 *
 * Where the axis of the rows gets lost (a reshape to sizes that are not known, an operator without a rule), only work along
 * axis 0, all axes or unknown axes counts, and what else may happen is left to the probe at load: indices that are computed
 * (GatherND, ScatterND), rows merged with other dimensions and parted otherwise, and answers that depend on how many rows
 * there are or where a row stands. Never throws: a graph that cannot be read or followed to its end is `mixed`.
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
  return rowsInFront(graph, (name) => values.get(name)?.row);
}

/** The rows of an answer have to lie where they are cut. */
function rowsInFront(graph: OnnxSteps, rowOf: (name: string) => number | undefined): RowsFinding {
  for (const { name } of graph.output) {
    const row = rowOf(name) ?? 0;
    if (row > 0) {
      return { kind: 'mixed', because: `output '${name}' holds the rows along axis ${row}` };
    }
  }
  return { kind: 'apart' };
}
