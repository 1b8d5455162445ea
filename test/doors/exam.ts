import { status as grpcStatus, Metadata, type ServiceError } from '@grpc/grpc-js';
import { type Random, seededRandom } from '../../src/core/random.ts';
import { RunningGateway } from '../e2e/a-gateway.ts';
import type { Attack } from './attacks.ts';
import { GRPC_CALLS, HTTP_CALLS, OPEN_PATHS, type Plane } from './calls.ts';
import type { Answer, HttpCaller, Sent } from './http-caller.ts';
import { aLockedPlace, type LockedPlace } from './place.ts';
import { type Snapshot, snapshotOf } from './snapshot.ts';
import { type Headers, type Stranger, strangers, varied } from './strangers.ts';
import { callerOf, grpcCallerOf, type Target, targetOf } from './target.ts';

const CONNECTIONS = 16;

/** What a refusal may look like. A path that is none may say so to everyone, as long as one that is there does not. */
const REFUSALS = [400, 401, 403, 404, 405, 413, 414, 415, 421, 431];

const OF_WHAT_IS_THERE = [401, 403];

export type Finding = {
  readonly requests: number;
  /** How many answers of each status there were, on each wire. */
  readonly statuses: Readonly<Record<string, number>>;
  /** Answers that should have been refusals, by what was asked. */
  readonly faults: readonly string[];
  /** What is not as it was before. */
  readonly changes: readonly string[];
};

type Teardown = { readonly teardown: (work: () => unknown) => void };

/** A gateway with authentication, and callers who may do nothing there. */
export class DoorsExam {
  readonly #place: LockedPlace;
  readonly #target: Target;
  readonly #callers: Readonly<Record<Plane, HttpCaller>>;
  readonly #grpc: ReturnType<typeof grpcCallerOf>;

  private constructor(target: Target) {
    this.#place = target.place;
    this.#target = target;
    this.#callers = {
      data: callerOf(target, 'http', { connections: CONNECTIONS }),
      admin: callerOf(target, 'admin', { connections: CONNECTIONS }),
    };
    this.#grpc = grpcCallerOf(target);
  }

  static async start(t: Teardown, isSecure = false): Promise<DoorsExam> {
    const place = await aLockedPlace(t, isSecure);
    const exam = new DoorsExam(targetOf(place, await RunningGateway.start(t, place)));
    t.teardown(() => exam.#close());
    return exam;
  }

  #close(): void {
    this.#callers.data.close();
    this.#callers.admin.close();
    this.#grpc.close();
  }

  /** One of the attacks: what it got, and what is not as it was before. */
  async attack({ ask, mayChange }: Attack): Promise<Pick<Finding, 'faults' | 'changes'>> {
    const before = await this.#snapshot();
    const faults = await ask(this.#target);
    const changes = changesBetween(before, await this.#snapshot());
    return { faults, changes: changes.filter((change) => !change.startsWith(`${mayChange}:`)) };
  }

  /** Everything that can be asked, by every stranger, as it is written. */
  async askAll(): Promise<Finding> {
    const random = seededRandom(1);
    const asked = strangers(this.#place.keys, this.#place.tokens).flatMap((stranger) => [
      ...HTTP_CALLS.map(
        (call) => () => this.#askHttp(stranger, { ...call, random }, OF_WHAT_IS_THERE),
      ),
      ...(stranger.isHttpOnly ? [] : GRPC_CALLS).map(
        (call) => () => this.#askGrpc(stranger, { ...call, random }),
      ),
    ]);
    return this.#find(asked);
  }

  /** So many requests by strangers, in other spellings, by other methods and with other bodies. */
  async askAtRandom(requests: number, seed: number): Promise<Finding> {
    const random = seededRandom(seed);
    const everyone = strangers(this.#place.keys, this.#place.tokens);
    const pick = <T>(list: readonly T[]): T => list[random.integer(list.length)] as T;
    const asked = Array.from({ length: requests }, () => () => {
      const stranger = pick(everyone);
      if (random.unit() < 0.2 && !stranger.isHttpOnly)
        return this.#askGrpc(stranger, { ...pick(GRPC_CALLS), random });
      const call = varied(pick(HTTP_CALLS), random);
      return this.#askHttp(stranger, { ...call, random }, REFUSALS);
    });
    return this.#find(asked);
  }

  /** The statuses with which an administrator's requests are answered: what strangers are refused can be had. */
  async askAsAdministrator(): Promise<readonly number[]> {
    const headers = [['authorization', `Bearer ${this.#place.keys.admin}`]] as const;
    const statuses: number[] = [];
    for (const { plane, ...call } of HTTP_CALLS)
      statuses.push((await this.#callers[plane].send({ ...call, headers })).status);
    return statuses;
  }

  /** What the gateway wrote to its log. */
  log(): string {
    return this.#target.log();
  }

  keys(): LockedPlace['keys'] {
    return this.#place.keys;
  }

  async #find(asked: readonly (() => Promise<Said>)[]): Promise<Finding> {
    const before = await this.#snapshot();
    const statuses: Record<string, number> = {};
    const faults: string[] = [];
    let next = 0;
    const askInTurn = async (): Promise<void> => {
      for (let ask = asked[next++]; ask !== undefined; ask = asked[next++]) {
        const { status, fault } = await ask();
        statuses[status] = (statuses[status] ?? 0) + 1;
        if (fault !== undefined) faults.push(fault);
      }
    };
    await Promise.all(Array.from({ length: CONNECTIONS }, askInTurn));
    const changes = changesBetween(before, await this.#snapshot());
    return { requests: asked.length, statuses, faults, changes };
  }

  async #askHttp(stranger: Stranger, call: Asked, expected: readonly number[]): Promise<Said> {
    const { plane, random, method, path, body } = call;
    const sent: Sent = { method, path, headers: stranger.headers(random), body };
    const what = `${plane} ${method} ${path} with ${stranger.name}`;
    try {
      const answer = await this.#callers[plane].send(sent);
      const isFine = expected.includes(answer.status) || isOpen(call, answer);
      const fault = isFine ? undefined : `${what}: ${answer.status} ${answer.text.slice(0, 200)}`;
      return { status: `${plane} ${answer.status}`, fault };
    } catch (error) {
      return {
        status: `${plane} ${(error as NodeJS.ErrnoException).code}`,
        fault: `${what}: ${error}`,
      };
    }
  }

  async #askGrpc(stranger: Stranger, { method, message, random }: AskedGrpc): Promise<Said> {
    const metadata = metadataOf(stranger.headers(random));
    const what = `grpc ${method} with ${stranger.name}`;
    try {
      await this.#grpc.call(method, message as Readonly<Record<string, unknown>>, metadata);
      return { status: 'grpc OK', fault: `${what}: answered` };
    } catch (error) {
      const { code, details } = error as ServiceError;
      const isFine = code === grpcStatus.UNAUTHENTICATED || code === grpcStatus.PERMISSION_DENIED;
      return {
        status: `grpc ${grpcStatus[code]}`,
        fault: isFine ? undefined : `${what}: ${grpcStatus[code]} ${details}`,
      };
    }
  }

  #snapshot(): Promise<Snapshot> {
    return snapshotOf(this.#place, this.#target.ports);
  }
}

type Asked = { readonly plane: Plane; readonly random: Random } & Omit<Sent, 'headers'>;
type AskedGrpc = { readonly method: string; readonly message: object; readonly random: Random };
type Said = { readonly status: string; readonly fault: string | undefined };

/** Health, and the names of methods of a path that is there, are for everyone. */
function isOpen({ plane, method, path }: Asked, { status }: Answer): boolean {
  const { pathname } = new URL(path, 'http://localhost');
  const isHealth = OPEN_PATHS[plane].some((open) => pathname === open || pathname === `${open}/`);
  return isHealth && ['GET', 'HEAD'].includes(method) && status === 200;
}

function metadataOf(headers: Headers): Metadata {
  const metadata = new Metadata();
  for (const [name, value] of headers) metadata.add(name, value);
  return metadata;
}

function changesBetween(before: Snapshot, after: Snapshot): readonly string[] {
  return Object.keys(before)
    .filter((what) => before[what] !== after[what])
    .map((what) => `${what}: ${before[what]?.slice(-300)} -> ${after[what]?.slice(-300)}`);
}
