/** Streams of inferences over gRPC: one stream, many requests, answers in their order. */
import { type Bench, type Case, type Finding, fail, pass } from '../case.ts';
import { MODEL } from '../model-names.ts';
import { TRITON_GRPC } from '../references.ts';
import type { Message, StreamEnd } from '../wire/grpc.ts';
import { rawMessage, replyOf } from '../wire/grpc-infer.ts';
import { difference } from '../wire/tensor.ts';
import { addSub } from './inference.ts';

const METHOD = 'ModelStreamInfer';

type StreamRow = {
  readonly id: string;
  readonly claim: string;
  readonly messages: readonly Message[];
  readonly metadata?: Readonly<Record<string, string>>;
  /** What was expected and did not come. */
  readonly wrong: (end: StreamEnd) => string | undefined;
};

/** Each request has other numbers of rows, so that answers can be distinguished. */
function request(id: string, rows: number): Message {
  return rawMessage({ model: MODEL.addSub, id, inputs: addSub(rows).inputs });
}

const unknown = rawMessage({ model: 'no-such-model', id: 'bad', inputs: addSub(1).inputs });
const withEnd = {
  ...request('1', 1),
  parameters: { triton_enable_empty_final_response: { bool_param: true } },
};

const ROWS: readonly StreamRow[] = [
  {
    id: 'one',
    claim: 'one request on a stream is answered once',
    messages: [request('a', 1)],
    wrong: (end) => inOrder(end, [1]),
  },
  {
    id: 'order',
    claim: 'requests on one stream are answered in their order',
    messages: [8, 1, 4, 2, 8, 3].map((rows, index) => request(`r${index}`, rows)),
    wrong: (end) => inOrder(end, [8, 1, 4, 2, 8, 3]),
  },
  {
    id: 'none',
    claim: 'a stream without requests ends well',
    messages: [],
    wrong: (end) => inOrder(end, []),
  },
  {
    id: 'error-inside',
    claim: 'a request that is refused gets an error in its turn, and the stream continues',
    messages: [request('a', 1), unknown, request('b', 2)],
    wrong: wrongAround,
  },
  {
    id: 'error-ends',
    claim: 'with metadata triton_grpc_error: true an error ends the stream with its status',
    messages: [unknown],
    metadata: { triton_grpc_error: 'true' },
    wrong: ({ code }) => (code === 'NOT_FOUND' ? undefined : 'the stream ends with NOT_FOUND'),
  },
  {
    id: 'final',
    claim: 'a request that asks for it learns which answer was the last',
    messages: [withEnd],
    wrong: ({ messages }) => {
      const last = messages.at(-1)?.['infer_response'] as Message | undefined;
      const marked = (last?.['parameters'] as Message | undefined)?.['triton_final_response'];
      const isFinal = (marked as Message | undefined)?.['bool_param'] === true;
      return isFinal ? undefined : 'a last answer with triton_final_response: true';
    },
  },
];

export function streamingCases(): readonly Case[] {
  return ROWS.map(
    (row): Case => ({
      ...{ id: `streaming.${row.id}`, section: 'streaming', level: 'extension', wires: ['grpc'] },
      claim: row.claim,
      reference: `${TRITON_GRPC}, "ModelStreamInfer"`,
      models: [MODEL.addSub],
      run: (bench) => run(bench, row),
    }),
  );
}

async function run({ grpc }: Bench, { messages, metadata, wrong }: StreamRow): Promise<Finding> {
  const end = await grpc.stream(METHOD, messages, { ...(metadata && { metadata }) });
  const expected = wrong(end);
  if (expected === undefined) return pass();
  const errors = end.messages.map((each) => String(each['error_message'] ?? '')).filter(Boolean);
  const found = `${end.messages.length} answers, then ${end.code} ${end.message} ${errors.join('; ')}`;
  return fail({ request: `${METHOD} with ${messages.length} requests`, expected, found });
}

function inOrder({ messages, code }: StreamEnd, rows: readonly number[]): string | undefined {
  if (code !== 'OK') return 'the stream ends with OK';
  if (messages.length !== rows.length) return `${rows.length} answers`;
  for (const [index, count] of rows.entries()) {
    const wrong = wrongAnswer(messages[index], count);
    if (wrong !== undefined) return `answer ${index} to be that of request ${index} (${wrong})`;
  }
  return undefined;
}

function wrongAnswer(message: Message | undefined, rows: number): string | undefined {
  if (message?.['error_message']) return String(message['error_message']);
  const reply = replyOf((message?.['infer_response'] ?? {}) as Message);
  if (reply.kind !== 'answer') return 'no answer';
  return addSub(rows)
    .outputs.map((output) =>
      difference(
        output,
        reply.answer.outputs.find(({ name }) => name === output.name),
      ),
    )
    .find((each) => each !== undefined);
}

function wrongAround({ messages, code }: StreamEnd): string | undefined {
  if (code !== 'OK') return 'the stream ends with OK, even after a failed request';
  const [first, error, last] = messages;
  if (messages.length !== 3) return '3 answers';
  if (wrongAnswer(first, 1) ?? wrongAnswer(last, 2)) return 'the first and the third answered';
  if (!error?.['error_message']) return 'the second with error_message';
  const id = (error['infer_response'] as Message | undefined)?.['id'];
  return id === 'bad' ? undefined : 'the second with infer_response.id of its request';
}
