import t from 'tap';
import { aGateway, aVersion, echoHost } from '../../gateway/builders.ts';
import { anInput, aServer, type Call, inferCall } from './builders.ts';

type Refusal = readonly [what: string, call: Call, status: number, message: RegExp];

const REFUSALS: readonly Refusal[] = [
  [
    'a bad priority',
    inferCall({ parameters: { priority: 'high' }, inputs: [anInput()] }),
    400,
    /priority: expected a whole number from 0.*found "high"/,
  ],
  [
    'a sequence id that JSON cannot distinguish from others',
    inferCall({ parameters: { sequence_id: 2 ** 53 }, inputs: [anInput()] }),
    400,
    /sequence_id: expected a string, or a whole number from 0 to 9007199254740991/,
  ],
  [
    'a sequence start that is no flag',
    inferCall({ parameters: { sequence_start: 1 }, inputs: [anInput()] }),
    400,
    /sequence_start: expected true or false, found 1/,
  ],
  [
    'a count of classes that is none',
    inferCall({ inputs: [anInput()], outputs: [{ name: 'y', parameters: { classification: 0 } }] }),
    400,
    /classification of output 'y': expected a whole number from 1, found 0/,
  ],
  [
    'a request with an id, in its head',
    inferCall({ id: 'a-1', inputs: 5 }),
    400,
    /^\[request id: a-1\] unexpected inputs: expected a JSON array, found 5/,
  ],
  [
    'a request with an id, in its tensors',
    inferCall({ id: 'a-1', inputs: [anInput({ data: [1] })] }),
    400,
    /^\[request id: a-1\] .*expected 2 for shape/,
  ],
  [
    'a request with an id, by the gateway',
    inferCall({ id: 'a-1', inputs: [anInput({ name: 'z' })] }),
    400,
    /^\[request id: a-1\] unexpected inference input 'z'/,
  ],
];

t.test('parameters of a request must have their type', async (t) => {
  const { app } = aServer();
  for (const [what, call, status, message] of REFUSALS) {
    const response = await app.inject(call);
    t.match([response.statusCode, response.json().error], [status, message], what);
  }
});

t.test(
  'classes stand in the place of an output, with their labels, in JSON or binary',
  async (t) => {
    const versions = [aVersion('1', { labels: new Map([['y', ['shirt', 'boot']]]) })];
    const { app } = aServer({ gateway: aGateway({ versions }) });
    const ask = (parameters: object) =>
      app.inject(inferCall({ inputs: [anInput()], outputs: [{ name: 'y', parameters }] }));
    t.strictSame((await ask({ classification: 5 })).json().outputs, [
      {
        name: 'y',
        datatype: 'BYTES',
        shape: [1, 2],
        data: ['1.500000:0:shirt', '-2.000000:1:boot'],
      },
    ]);
    const binary = await ask({ classification: 1, binary_data: true });
    t.match(binary.payload, /"datatype":"BYTES","shape":\[1,1\].*1\.500000:0:shirt$/s);
  },
);

t.test('a datatype that has no scores cannot be classified', async (t) => {
  const outputs = [{ name: 'y', parameters: { classification: 1 } }];
  const input = anInput({ datatype: 'BOOL', data: [true, false] });
  const spec = { dtype: 'BOOL', shape: [-1, 2] } as const;
  const signature = { inputs: [{ name: 'x', ...spec }], outputs: [{ name: 'y', ...spec }] };
  const gateway = aGateway({
    hosts: { '1': echoHost('1', signature) },
    versions: [aVersion('1', { signature })],
  });
  const response = await aServer({ gateway }).app.inject(inferCall({ inputs: [input], outputs }));
  t.match([response.statusCode, response.json().error], [400, /class result not available/]);
});
