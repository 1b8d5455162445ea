import { type Case, judged, type Level, type Section } from '../case.ts';
import type { GrpcReply, GrpcService, Message } from '../wire/grpc.ts';

type GrpcOptions = {
  readonly id: string;
  readonly section: Section;
  readonly level?: Level;
  readonly extension?: string;
  readonly claim: string;
  readonly reference: string;
  readonly models?: readonly string[];
  readonly method: string;
  readonly message?: Message;
  readonly service?: GrpcService;
  /** What was expected and did not come; undefined where all is right. */
  readonly check: GrpcCheck;
};

export type GrpcCheck = (reply: GrpcReply) => string | undefined;

/** One gRPC call and what must hold of its answer. */
export function grpcCase(options: GrpcOptions): Case {
  const { id, section, level = 'required', claim, reference, models = [], extension } = options;
  const { method, message = {}, service = 'inference', check } = options;
  return {
    ...{ id, section, level, claim, reference, models },
    ...(extension !== undefined && { extension }),
    wires: ['grpc'],
    run: async ({ grpc }) => {
      const reply = await grpc.call(method, message, { service });
      const expected = check(reply);
      const found = describeGrpc(reply);
      const request = `${method} ${describeMessage(message)}`;
      return judged(request, expected === undefined ? undefined : { expected, found });
    },
  };
}

/** A message that `wrong` finds nothing wrong with. */
export function isMessage(wrong: (message: Message) => string | undefined): GrpcCheck {
  return (reply) => (reply.kind === 'answer' ? wrong(reply.message) : 'status OK');
}

/** A refusal with one of these codes and a message. */
export function isCode(...codes: readonly string[]): GrpcCheck {
  return (reply) => {
    const isRight = reply.kind === 'refusal' && codes.includes(reply.code) && reply.message !== '';
    return isRight ? undefined : `status ${codes.join(' or ')} and a message`;
  };
}

export function describeGrpc(reply: GrpcReply): string {
  if (reply.kind === 'refusal') return `${reply.code} ${JSON.stringify(reply.message)}`;
  return `OK ${describeMessage(reply.message)}`;
}

const SHOWN_CHARACTERS = 240;

export function describeMessage(message: Message): string {
  const text = JSON.stringify(message, (_, value: unknown) => {
    const isBytes = typeof value === 'object' && value !== null && 'type' in value;
    return isBytes && value.type === 'Buffer' ? '<bytes>' : value;
  });
  return text.length > SHOWN_CHARACTERS ? `${text.slice(0, SHOWN_CHARACTERS)}...` : text;
}

/** A field that is a list; empty where it is none. */
export function listIn(message: Message, field: string): readonly Message[] {
  const found = message[field];
  return Array.isArray(found) ? found : [];
}
