import { type Bench, type Case, type Finding, fail, skip, type Wire } from './case.ts';
import { GrpcWire } from './wire/grpc.ts';
import { inferRaw, inferTyped } from './wire/grpc-infer.ts';
import { HttpWire } from './wire/http.ts';
import { isArray, isObject } from './wire/json.ts';
import { inferBinary, inferJson, modelPath } from './wire/rest.ts';
import { difference, type KitTensor } from './wire/tensor.ts';

/** The server that is tested: at least one of the two addresses. */
export type Target = { readonly http?: string | undefined; readonly grpc?: string | undefined };

/** `agreement`: the answers of all wires of a case, held against each other. */
export type ResultWire = Wire | 'agreement';

export type Result = {
  readonly case: Pick<Case, 'id' | 'section' | 'level' | 'claim' | 'reference'>;
  readonly wire: ResultWire;
  readonly finding: Finding;
};

/** A connected server, with what it says of itself. */
export type Connection = Bench & {
  readonly target: Target;
  readonly isReady: (model: string) => Promise<boolean>;
  readonly close: () => void;
};

/** Connects. Wires that the target has no address for lead nowhere: `wiresOf` leaves them out. */
export async function connect(target: Target): Promise<Connection> {
  const http = new HttpWire(target.http ?? 'http://127.0.0.1:1');
  const grpc = new GrpcWire(target.grpc ?? '127.0.0.1:1');
  const extensions = await extensionsOf(target, { http, grpc });
  return {
    target,
    http,
    grpc,
    infer: {
      'rest-json': (call) => inferJson(http, call),
      'rest-binary': (call) => inferBinary(http, call),
      'grpc-raw': (call) => inferRaw(grpc, call),
      'grpc-typed': (call) => inferTyped(grpc, call),
    },
    advertises: (extension) => extensions.includes(extension),
    isReady: async (model) => {
      if (target.http !== undefined) {
        return (await http.send({ path: `${modelPath(model)}/ready` })).status === 200;
      }
      const reply = await grpc.call('ModelReady', { name: model });
      return reply.kind === 'answer' && reply.message['ready'] === true;
    },
    close: () => {
      http.close();
      grpc.close();
    },
  };
}

type Wires = { readonly http: HttpWire; readonly grpc: GrpcWire };

async function extensionsOf(target: Target, { http, grpc }: Wires): Promise<readonly string[]> {
  if (target.http === undefined) {
    const reply = await grpc.call('ServerMetadata');
    const listed = reply.kind === 'answer' ? reply.message['extensions'] : [];
    return Array.isArray(listed) ? listed.map(String) : [];
  }
  const { json } = await http.send({ path: '/v2' });
  const listed = isObject(json) ? json['extensions'] : undefined;
  return isArray(listed) ? listed.map(String) : [];
}

/** The wires of a case that there is an address for. */
export function wiresOf({ wires }: Pick<Case, 'wires'>, { http, grpc }: Target): readonly Wire[] {
  return wires.filter((wire) => (wire.startsWith('grpc') ? grpc : http) !== undefined);
}

/** Runs cases one after the other, each over every wire that it has. Never rejects: what goes wrong is a failure of its case. */
export async function runCases(
  cases: readonly Case[],
  connection: Connection,
  onResult: (result: Result) => void,
): Promise<void> {
  const ready = new Map<string, boolean>();
  for (const each of cases) {
    const wires = wiresOf(each, connection.target);
    if (wires.length === 0) continue;
    const why = await whyNot(each, connection, ready);
    const findings: Finding[] = [];
    for (const wire of wires) {
      const finding = why === undefined ? await runOne(each, connection, wire) : skip(why);
      findings.push(finding);
      onResult({ case: each, wire, finding });
    }
    const agreement = agreementOf(each, wires, findings);
    if (agreement) onResult({ case: each, wire: 'agreement', finding: agreement });
  }
}

/** Why a case cannot be run on this server; undefined: it can. */
async function whyNot(
  { models, extension }: Case,
  connection: Connection,
  ready: Map<string, boolean>,
): Promise<string | undefined> {
  if (extension !== undefined && !connection.advertises(extension)) {
    return `the server does not advertise ${extension}`;
  }
  for (const model of models) {
    const isReady = ready.get(model) ?? (await connection.isReady(model).catch(() => false));
    ready.set(model, isReady);
    if (!isReady) return `the server does not have ${model} (--write-models)`;
  }
  return undefined;
}

async function runOne(each: Case, bench: Bench, wire: Wire): Promise<Finding> {
  try {
    return await each.run(bench, wire);
  } catch (error) {
    const found = error instanceof Error ? error.message : String(error);
    return fail({ request: each.id, expected: 'an answer', found });
  }
}

/** Bit by bit, but for the payload of a NaN; undefined where fewer than two wires have answered. */
function agreementOf(
  { id }: Case,
  wires: readonly Wire[],
  findings: readonly Finding[],
): Finding | undefined {
  const answers = findings.flatMap((finding, index) => {
    const wire = wires[index];
    return finding.kind === 'pass' && finding.outputs && wire
      ? [{ wire, outputs: finding.outputs }]
      : [];
  });
  const [first, ...others] = answers;
  if (!first || others.length === 0) return undefined;
  for (const { wire, outputs } of others) {
    const wrong = firstDifference(first.outputs, outputs);
    if (wrong === undefined) continue;
    const expected = `the same over ${first.wire} and ${wire}`;
    return fail({ request: id, expected, found: wrong });
  }
  return { kind: 'pass' };
}

function firstDifference(
  expected: readonly KitTensor[],
  found: readonly KitTensor[],
): string | undefined {
  return expected
    .map((output) =>
      difference(
        output,
        found.find(({ name }) => name === output.name),
      ),
    )
    .find((wrong) => wrong !== undefined);
}
