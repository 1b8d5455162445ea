/** Follows a graph from node to node, subgraphs and functions included, and stops at the first that mixes rows. */
import type {
  Int64,
  OnnxFunction,
  OnnxOpset,
  OnnxSetting,
  OnnxStep,
  OnnxSteps,
} from '../onnx-schema.ts';
import { fold, shapeOf } from './fold.ts';
import { followLoop, isSame } from './loop.ts';
import { alwaysMixes, follow } from './operators.ts';
import { tracedWeight } from './small-content.ts';
import { type Call, LIST_MAX, SENT, type Step, type Traced } from './traced.ts';

/** Graphs within graphs, and functions that call functions. */
const DEPTH_MAX = 32;
/** Nodes that are looked at in all; a function counts each time that it is called. */
const NODES_MAX = 500_000;

/** Thrown by the walk: a node mixes rows, or the graph cannot be followed. */
export class Mixed extends Error {}

export type Surroundings = {
  readonly functions: ReadonlyMap<string, OnnxFunction>;
  /** Versions of operator sets, by domain. */
  readonly opsets: ReadonlyMap<string, number>;
  /** Settings of the call of a function, which its nodes refer to. */
  readonly settings: ReadonlyMap<string, OnnxSetting>;
  readonly values: Map<string, Traced>;
  /** Names of an outer graph that are seen from here. */
  readonly outer?: Surroundings | undefined;
  readonly ranks: ReadonlyMap<string, number>;
  readonly depth: number;
  readonly work: { nodes: number };
};

export function opsetsOf(imports: readonly OnnxOpset[]): ReadonlyMap<string, number> {
  return new Map(
    imports.map(({ domain = '', version = 1 }) => [withoutAlias(domain), numberOf(version)]),
  );
}

export function functionKey({
  domain = '',
  name = '',
  overload = '',
}: Partial<OnnxFunction>): string {
  return JSON.stringify([withoutAlias(domain), name, overload]);
}

function withoutAlias(domain: string): string {
  return domain === 'ai.onnx' ? '' : domain;
}

/** Values of the graph's weights and nodes are added to those that are there. */
export function walkGraph(graph: OnnxSteps, around: Surroundings): void {
  for (const weight of graph.initializer)
    around.values.set(weight.name ?? '', tracedWeight(weight));
  walkNodes(graph.node, around);
}

function walkNodes(nodes: readonly OnnxStep[], around: Surroundings): void {
  for (const node of nodes) {
    count(around);
    walkNode(node, around);
  }
}

function count({ work }: Surroundings): void {
  work.nodes += 1;
  if (work.nodes > NODES_MAX) throw new Mixed('its graph is too large to be followed');
}

function walkNode(node: OnnxStep, around: Surroundings): void {
  const inputs = node.input.map((name) => (name === '' ? undefined : lookUp(name, around)));
  const called = around.functions.get(
    functionKey({
      domain: node.domain ?? '',
      name: node.op_type ?? '',
      overload: node.overload ?? '',
    }),
  );
  const results = called
    ? walkFunction(called, { node, inputs, around })
    : walkOperator(node, inputs, around);
  node.output.forEach((name, at) => {
    if (name !== '') around.values.set(name, withRank(results[at] ?? results.at(-1), name, around));
  });
}

function withRank(value: Traced = SENT, name: string, { ranks }: Surroundings): Traced {
  return value.rank === undefined ? { ...value, rank: ranks.get(name) } : value;
}

/** What no node has made, nor any graph around, is taken for something sent. */
function lookUp(name: string, around: Surroundings): Traced {
  let at: Surroundings | undefined = around;
  while (at) {
    const found = at.values.get(name);
    if (found) return found;
    at = at.outer;
  }
  return SENT;
}

type Calling = {
  readonly node: OnnxStep;
  readonly inputs: readonly (Traced | undefined)[];
  readonly around: Surroundings;
};

function walkFunction(called: OnnxFunction, { node, inputs, around }: Calling): readonly Traced[] {
  const settings = [
    ...called.attribute_proto,
    ...node.attribute.map((each) => resolved(each, around)),
  ];
  const inside: Surroundings = {
    ...deeper(around),
    opsets: opsetsOf(called.opset_import),
    settings: new Map(settings.map((each) => [each.name ?? '', each])),
    values: new Map(called.input.map((name, at) => [name, inputs[at] ?? { kind: 'fixed' }])),
    ranks: new Map(),
  };
  walkNodes(called.node, inside);
  return called.output.map((name) => lookUp(name, inside));
}

function deeper(around: Surroundings): Surroundings {
  if (around.depth >= DEPTH_MAX) throw new Mixed('its graphs or functions are nested too deeply');
  return { ...around, depth: around.depth + 1, values: new Map(), outer: undefined };
}

/** A setting that stands for one of the function's call. */
function resolved(setting: OnnxSetting, { settings }: Surroundings): OnnxSetting {
  const from = setting.ref_attr_name;
  if (from === undefined || from === '') return setting;
  return {
    ints: [],
    graphs: [],
    ...settings.get(from),
    name: setting.name ?? '',
    ref_attr_name: '',
  };
}

function walkOperator(
  node: OnnxStep,
  given: readonly (Traced | undefined)[],
  around: Surroundings,
): readonly Traced[] {
  const { op_type: op = '' } = node;
  const domain = withoutAlias(node.domain ?? '');
  const always = alwaysMixes(op, domain);
  if (always !== undefined) throw new Mixed(said(node, always));
  const call = callOf(node, given, around);
  if (op === 'Constant') return [constantOf(node)];
  const kind = kindOf([...given.map((each) => each?.kind), ...kindsInside(node, around)]);
  const hasSent = kind === 'sent';
  if (hasSent && (op === 'Shape' || op === 'Size' || op === 'EyeLike')) {
    return [{ kind: 'sized', ...shapeOf(given[0] ?? SENT, call) }];
  }
  const decided = walkDecided(node, given, around);
  if (decided) return decided;
  if (hasSent) return [...resultsOf(node, follow(call))];
  if (kind === 'sized' && (op === 'If' || op === 'Loop')) {
    throw new Mixed(said(node, 'depends on the number of rows'));
  }
  for (const graph of graphsOf(node)) walkInside(graph, around, []);
  const folded = fold(call);
  return [{ kind, ...folded, ...alongOf(call, folded) }];
}

/** A choice, or a number of turns, that is the same for all requests; undefined: it is neither. */
function walkDecided(
  node: OnnxStep,
  given: readonly (Traced | undefined)[],
  around: Surroundings,
): readonly Traced[] | undefined {
  if (node.op_type === 'If' && isSame(given[0])) return walkBranches(node, around);
  const isLoop = node.op_type === 'Loop' && isOfFixedLength(given);
  return isLoop ? walkLoop(node, given, around) : undefined;
}

function kindOf(kinds: readonly (Traced['kind'] | undefined)[]): Traced['kind'] {
  if (kinds.includes('sent')) return 'sent';
  return kinds.includes('sized') ? 'sized' : 'fixed';
}

/** The number of turns is known; so is whether it begins at all. */
function isOfFixedLength([turns, begins]: readonly (Traced | undefined)[]): boolean {
  return isSame(turns) && (begins === undefined || isSame(begins));
}

function walkLoop(
  node: OnnxStep,
  given: readonly (Traced | undefined)[],
  around: Surroundings,
): readonly Traced[] {
  const [body] = graphsOf(node);
  if (!body) return [SENT];
  const initial = given.slice(2).map((value) => value ?? FIXED);
  const turn = (carried: readonly Traced[]) =>
    walkInside(body, around, [NUMBER, NUMBER, ...carried]);
  return resultsOf(node, followLoop(initial, turn));
}

const FIXED: Traced = { kind: 'fixed' };
/** The iteration's number, and the loop condition. */
const NUMBER: Traced = { kind: 'fixed', rank: 0 };

/** Where the result is another for each row, if a value that goes in is. */
function alongOf(call: Call, { rank }: Partial<Traced>): Partial<Traced> {
  if (!call.inputs.some((each) => each?.row !== undefined)) {
    const isByRows = call.inputs.some((each) => each?.isByRows === true);
    return { isByRows, ...(rank === undefined ? { rank: rankOf(call) } : {}) };
  }
  const inputs = call.inputs.map((each): Traced | undefined =>
    each?.row === undefined ? each : { ...each, kind: 'sent' },
  );
  const step = follow({ ...call, inputs });
  if (typeof step === 'string') return { isByRows: true };
  const along = inputs.filter((each) => each?.row !== undefined);
  return {
    rank: step[0]?.rank,
    row: step[0]?.row,
    isIota: KEEPING.has(call.op) && inputs[0]?.isIota === true,
    isEven: along.every((each) => each?.isEven === true),
    isByRows: step[0]?.row === undefined || inputs.some((each) => each?.isByRows === true),
  };
}

/** The rank of what a node makes of values without rows. */
function rankOf(call: Call): number | undefined {
  const inputs = call.inputs.map(
    (each): Traced | undefined => each && { ...each, kind: 'sent', row: -1 },
  );
  const step = follow({ ...call, inputs });
  return typeof step === 'string' ? undefined : step[0]?.rank;
}

/** The numbers of rows are still those of the rows behind them. */
const KEEPING = new Set(['Cast', 'Identity', 'Unsqueeze', 'Squeeze', 'Reshape', 'Expand']);

function resultsOf(node: OnnxStep, step: Step): readonly Traced[] {
  if (typeof step === 'string') throw new Mixed(said(node, step));
  return step;
}

function callOf(
  node: OnnxStep,
  inputs: readonly (Traced | undefined)[],
  around: Surroundings,
): Call {
  const setting = (name: string) => {
    const found = node.attribute.find((each) => each.name === name);
    return found && resolved(found, around);
  };
  const wholesOf = (name: string) => setting(name)?.ints ?? [];
  return {
    op: node.op_type ?? '',
    opset: around.opsets.get(withoutAlias(node.domain ?? '')) ?? 1,
    inputs,
    outputs: node.output.filter((name) => name !== '').length,
    whole: (name) => {
      const found = setting(name);
      return found && Object.hasOwn(found, 'i') ? numberOf(found.i) : undefined;
    },
    wholes: (name) => {
      const found = wholesOf(name);
      return found.length > 0 && found.length <= LIST_MAX ? found.map(numberOf) : undefined;
    },
    text: (name) => {
      const bytes = setting(name)?.s;
      return bytes && bytes.length <= 1_000 ? new TextDecoder().decode(bytes) : undefined;
    },
  };
}

function constantOf({ attribute }: OnnxStep): Traced {
  const [setting] = attribute;
  if (setting?.t) return tracedWeight(setting.t);
  if (setting?.name === 'value_int')
    return { kind: 'fixed', rank: 0, content: [numberOf(setting.i)] };
  if (setting?.name !== 'value_ints') return { kind: 'fixed' };
  const { ints } = setting;
  return {
    kind: 'fixed',
    rank: 1,
    content: ints.length <= LIST_MAX ? ints.map(numberOf) : undefined,
  };
}

/** Rounded beyond 2 ** 53, where a number stands for "to the end" and no other. */
function numberOf(whole: Int64 = 0): number {
  return Number(String(whole));
}

function graphsOf({ attribute }: OnnxStep): readonly OnnxSteps[] {
  return attribute.flatMap(({ g, graphs }) => (g ? [g, ...graphs] : graphs));
}

/** The kinds of all values of graphs around that the node's own graphs use. */
function kindsInside(node: OnnxStep, around: Surroundings, depth = 0): readonly Traced['kind'][] {
  if (depth > DEPTH_MAX) throw new Mixed('its graphs or functions are nested too deeply');
  const kinds = graphsOf(node).flatMap((graph) => [
    ...freeNames(graph).map((name) => lookUpFrom(name, around)),
    ...graph.node.flatMap((inner) => {
      count(around);
      return kindsInside(inner, around, depth + 1);
    }),
  ]);
  return [...new Set(kinds)];
}

/** What a graph uses and neither makes nor takes. */
function freeNames(graph: OnnxSteps): readonly string[] {
  const own = new Set([
    ...graph.node.flatMap(({ output }) => output),
    ...[...graph.input, ...graph.initializer].map(({ name }) => name ?? ''),
  ]);
  const used = graph.node.flatMap(({ input }) => input);
  return [...used, ...graph.output.map(({ name }) => name)].filter(
    (name) => name !== '' && !own.has(name),
  );
}

/** A name that no graph around has made is one of a graph between. */
function lookUpFrom(name: string, around: Surroundings): Traced['kind'] {
  let at: Surroundings | undefined = around;
  while (at) {
    const found = at.values.get(name);
    if (found) return found.kind;
    at = at.outer;
  }
  return 'fixed';
}

/** Both branches of a choice that is made before anything is sent: either may be the one. */
function walkBranches(node: OnnxStep, around: Surroundings): readonly Traced[] {
  const results = graphsOf(node).map((graph) => walkInside(graph, around, []));
  const [first = [], second = first] = results;
  return first.map((value, at) => {
    const other = second[at] ?? SENT;
    const isSame = value.rank === other.rank && value.row === other.row;
    if (value.kind !== 'sent' && other.kind !== 'sent') return { kind: 'sized' };
    return isSame ? { ...value, kind: 'sent' } : SENT;
  });
}

function walkInside(
  graph: OnnxSteps,
  around: Surroundings,
  inputs: readonly Traced[],
): readonly Traced[] {
  const inside: Surroundings = {
    ...deeper(around),
    outer: around,
    values: new Map(graph.input.map(({ name }, at) => [name, inputs[at] ?? FIXED])),
    ranks: ranksOf(graph),
  };
  walkGraph(graph, inside);
  return graph.output.map(({ name }) => lookUp(name, inside));
}

/** Ranks that the file declares. */
export function ranksOf(graph: OnnxSteps): ReadonlyMap<string, number> {
  const declared = [...graph.value_info, ...graph.output, ...graph.input];
  return new Map(
    declared.flatMap(({ name, type }) => {
      const shape = type?.tensor_type?.shape;
      return shape ? [[name, (shape.dim ?? []).length] as const] : [];
    }),
  );
}

const NAME_MAX = 80;

function said({ name, op_type: op = '', output }: OnnxStep, why: string): string {
  const which = name ? `node '${shown(name)}'` : `the node that makes '${shown(output[0] ?? '')}'`;
  return `${which} (${shown(op)}) ${why}`;
}

/** A name out of a file is short and on one line. */
function shown(name: string): string {
  return name.slice(0, NAME_MAX).replaceAll(/\p{C}/gu, '?');
}
