/** What only HTTP can get wrong: JSON, verbs, paths. */
import type { Case, Level } from '../case.ts';
import { httpCase, isRefusal, isStatus } from '../kinds/http.ts';
import { identityModel, MODEL } from '../model-names.ts';
import { REST } from '../references.ts';
import type { HttpRequest } from '../wire/http.ts';

const JSON_COUNT = [400, 500];
const reference = `${REST}, "Inference Request JSON Object"`;

/** A request to a model of 2 x 3 floats with a body written as it stands. */
function raw(body: string, model: string = MODEL.fixed): HttpRequest {
  const headers = { 'content-type': 'application/json' };
  return { method: 'POST', path: `/v2/models/${model}/infer`, headers, body };
}

function withInput(input: string, model?: string): HttpRequest {
  return raw(`{"inputs":[${input}]}`, model);
}

const HEAD = '"name":"INPUT0","shape":[2,3],"datatype":"FP32"';
const GOOD = `{${HEAD},"data":[1,2,3,4,5,6]}`;

type Row = {
  readonly id: string;
  readonly claim: string;
  readonly request: HttpRequest;
  readonly statuses?: readonly number[];
  readonly level?: Level;
  readonly model?: string;
};

const REFUSED: readonly Row[] = [
  { id: 'empty-body', claim: 'an empty body is refused', request: raw('') },
  { id: 'malformed', claim: 'a body that is no JSON is refused', request: raw('{"inputs":[') },
  { id: 'not-object', claim: 'a body that is no object is refused', request: raw('[1,2]') },
  {
    id: 'trailing',
    claim: 'text behind the JSON is refused',
    request: raw(`{"inputs":[${GOOD}]} trailing`),
  },
  { id: 'no-inputs', claim: 'a body without inputs is refused', request: raw('{"id":"1"}') },
  {
    id: 'inputs-object',
    claim: 'inputs that are no list are refused',
    request: raw(`{"inputs":${GOOD}}`),
  },
  { id: 'input-text', claim: 'an input that is no object is refused', request: withInput('"x"') },
  {
    id: 'no-name',
    claim: 'an input without a name is refused',
    request: withInput('{"shape":[2,3],"datatype":"FP32","data":[1,2,3,4,5,6]}'),
  },
  {
    id: 'no-shape',
    claim: 'an input without a shape is refused',
    request: withInput('{"name":"INPUT0","datatype":"FP32","data":[1,2,3,4,5,6]}'),
  },
  {
    id: 'no-datatype',
    claim: 'an input without a datatype is refused',
    request: withInput('{"name":"INPUT0","shape":[2,3],"data":[1,2,3,4,5,6]}'),
  },
  {
    id: 'unknown-datatype',
    claim: 'a datatype that there is not is refused',
    request: withInput('{"name":"INPUT0","shape":[2,3],"datatype":"FLOAT","data":[1,2,3,4,5,6]}'),
  },
  { id: 'no-data', claim: 'an input without data is refused', request: withInput(`{${HEAD}}`) },
  {
    id: 'shape-text',
    claim: 'a shape that is no list of numbers is refused',
    request: withInput(
      '{"name":"INPUT0","shape":["2","3"],"datatype":"FP32","data":[1,2,3,4,5,6]}',
    ),
  },
  {
    id: 'shape-fraction',
    claim: 'a fraction of a dimension is refused',
    request: withInput('{"name":"INPUT0","shape":[2.5,3],"datatype":"FP32","data":[1,2,3,4,5,6]}'),
  },
  {
    id: 'data-text',
    claim: 'text where numbers belong is refused',
    request: withInput(`{${HEAD},"data":[1,2,"3",4,5,6]}`),
  },
  {
    id: 'data-null',
    claim: 'null where a whole number belongs is refused',
    request: withInput(
      '{"name":"INPUT0","shape":[1,1],"datatype":"INT32","data":[null]}',
      identityModel('INT32'),
    ),
    model: identityModel('INT32'),
  },
  {
    id: 'data-object',
    claim: 'an object where numbers belong is refused',
    request: withInput(`{${HEAD},"data":{"0":1}}`),
  },
  {
    id: 'data-nested-wrong',
    claim: 'nested data of another number of elements are refused',
    request: withInput(`{${HEAD},"data":[[1,2,3],[4,5]]}`),
    statuses: JSON_COUNT,
  },
  {
    id: 'number-for-text',
    claim: 'a number where a text belongs is refused',
    request: withInput(
      '{"name":"INPUT0","shape":[1,1],"datatype":"BYTES","data":[1]}',
      identityModel('BYTES'),
    ),
    model: identityModel('BYTES'),
  },
  {
    id: 'number-for-bool',
    claim: 'a number that is neither 0 nor 1 where a truth value belongs is refused',
    level: 'recommended',
    request: withInput(
      '{"name":"INPUT0","shape":[1,1],"datatype":"BOOL","data":[7]}',
      identityModel('BOOL'),
    ),
    model: identityModel('BOOL'),
  },
  {
    id: 'fraction-for-whole',
    claim: 'a fraction where a whole number belongs is refused, not cut',
    level: 'recommended',
    request: withInput(
      '{"name":"INPUT0","shape":[1,1],"datatype":"INT32","data":[1.5]}',
      identityModel('INT32'),
    ),
    model: identityModel('INT32'),
  },
  ...outOfRange('UINT8', '256'),
  ...outOfRange('UINT8', '-1'),
  ...outOfRange('INT8', '128'),
  ...outOfRange('INT16', '-32769'),
  ...outOfRange('UINT32', '4294967296'),
  ...outOfRange('INT32', '2147483648'),
  ...outOfRange('INT64', '9223372036854775808'),
  ...outOfRange('UINT64', '18446744073709551616'),
  ...outOfRange('UINT64', '-1'),
  {
    id: 'depth',
    claim: 'JSON that is nested a hundred thousand deep is refused, and ends nothing',
    request: withInput(`{${HEAD},"data":${'['.repeat(100_000)}${']'.repeat(100_000)}}`),
  },
  {
    id: 'outputs-text',
    claim: 'outputs that are no list are refused',
    request: raw(`{"inputs":[${GOOD}],"outputs":"OUTPUT0"}`),
  },
  {
    id: 'id-number',
    claim: 'an id that is no text is refused',
    level: 'recommended',
    request: raw(`{"id":7,"inputs":[${GOOD}]}`),
  },
  {
    id: 'not-utf8',
    claim: 'a body that is not UTF-8 is refused',
    level: 'recommended',
    request: {
      ...raw(''),
      body: Buffer.from(`{"id":"\xff\xfe","inputs":[${GOOD}]}`, 'latin1'),
    },
  },
];

function outOfRange(datatype: Parameters<typeof identityModel>[0], value: string): readonly Row[] {
  const model = identityModel(datatype);
  return [
    {
      id: `range.${datatype.toLowerCase()}.${value}`,
      claim: `${value}, which ${datatype} cannot hold, is refused, not cut`,
      level: 'recommended',
      request: withInput(
        `{"name":"INPUT0","shape":[1,1],"datatype":"${datatype}","data":[${value}]}`,
        model,
      ),
      model,
    },
  ];
}

export function httpErrorCases(): readonly Case[] {
  return [
    ...REFUSED.map(({ id, claim, request, statuses = [400], level = 'required', model }) =>
      httpCase({
        ...{
          id: `errors.json.${id}`,
          section: 'errors' as const,
          level,
          claim,
          reference,
          request,
        },
        models: [model ?? MODEL.fixed],
        check: isRefusal(...statuses),
      }),
    ),
    ...routeCases(),
  ];
}

function routeCases(): readonly Case[] {
  const section = 'errors';
  const infer = `/v2/models/${MODEL.fixed}/infer`;
  const models = [MODEL.fixed];
  const http = 'RFC 9110';
  return [
    httpCase({
      ...{ id: 'errors.http.unknown-path', section, reference: `${http} 15.5.5` },
      claim: 'a path that there is not is not found',
      request: { path: '/v2/no/such/path' },
      check: isStatus(404),
    }),
    httpCase({
      ...{ id: 'errors.http.unknown-path.body', section, level: 'recommended' },
      reference: `${REST}, "Errors"`,
      claim: 'refusals are JSON on every path',
      request: { path: '/v2/no/such/path' },
      check: isRefusal(404),
    }),
    httpCase({
      ...{ id: 'errors.http.verb', section, models, reference: `${http} 15.5.6` },
      claim: 'GET of an inference is not allowed',
      request: { path: infer },
      check: isStatus(405),
    }),
    httpCase({
      ...{ id: 'errors.http.verb.health', section, level: 'recommended' },
      reference: `${http} 15.5.6`,
      claim: 'POST to health is not allowed',
      request: { method: 'POST', path: '/v2/health/live', body: '{}' },
      check: isStatus(405),
    }),
    httpCase({
      ...{ id: 'errors.http.unknown-model', section, reference: `${REST}, "Inference Errors"` },
      claim: 'an unknown model is refused before its body is read',
      request: raw('{}', 'no-such-model'),
      check: isRefusal(404, 400),
    }),
    httpCase({
      ...{ id: 'errors.http.bad-percent', section, level: 'recommended' },
      reference: 'RFC 3986 2.1',
      claim: 'a path that cannot be decoded is refused, and ends nothing',
      request: { path: '/v2/models/%E0%A4%A/ready' },
      check: isRefusal(400, 404),
    }),
    httpCase({
      ...{ id: 'errors.http.traversal', section, reference: 'CWE-22' },
      claim: "a model's name that climbs out of the repository finds nothing",
      request: { path: '/v2/models/..%2F..%2Fetc%2Fpasswd' },
      check: isStatus(400, 404),
    }),
    httpCase({
      ...{ id: 'inference.json.nested', section: 'inference', models },
      reference: `${REST}, "Tensor Data"`,
      claim: 'data may be nested as the shape is',
      request: withInput(`{${HEAD},"data":[[1,2,3],[4,5,6]]}`),
      check: isStatus(200),
    }),
    httpCase({
      ...{ id: 'inference.json.content-type', section: 'inference', models, level: 'recommended' },
      reference: 'curl, which sends application/x-www-form-urlencoded',
      claim: 'a JSON body under another content type is read',
      request: {
        ...withInput(GOOD),
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
      },
      check: isStatus(200),
    }),
    httpCase({
      ...{ id: 'inference.json.chunked', section: 'inference', models, reference: 'RFC 9112 7.1' },
      claim: 'a body in chunks is read',
      request: {
        ...withInput(GOOD),
        headers: { 'content-type': 'application/json', 'transfer-encoding': 'chunked' },
      },
      check: isStatus(200),
    }),
    httpCase({
      ...{ id: 'inference.json.unknown-field', section: 'inference', models, level: 'recommended' },
      reference,
      claim: 'a field that the protocol does not have is passed over',
      request: raw(`{"inputs":[${GOOD}],"some_field":{"a":[1]}}`),
      check: isStatus(200),
    }),
    httpCase({
      ...{ id: 'inference.json.number-forms', section: 'inference', models, level: 'recommended' },
      reference: 'RFC 8259 6',
      claim: 'numbers may be written in every way that JSON has',
      request: withInput(`{${HEAD},"data":[1e0,2.0,0.3E+1,4,-5,6.00]}`),
      check: isStatus(200),
    }),
  ];
}
