import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import t from 'tap';
import { WEBHOOK_EVENTS } from '../../src/core/webhook.ts';
import { bodyOf } from '../../src/webhooks/shapes.ts';
import { keyOf, signedHeaders } from '../../src/webhooks/sign.ts';
import { aWebhookEvent } from '../support/a-webhook.ts';
import { blocksOf, codeIn, readPage, tableRows } from './page.ts';

const PAGE = 'docs/guides/webhooks.md';
const SECRETS = ['whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw', 'a secret of plain text: é'] as const;
const NOW = 1_700_000_000;
const BODY = '{"why":"é"}';

function block(info: string): string {
  return blocksOf(readPage(PAGE)).find((each) => each.info === info)?.text ?? '';
}

/** Headers as they are sent while both secrets are in use, and what a receiver with each is to say of them. */
function questions() {
  const signed = { id: 'msg_1', timestamp: NOW, body: BODY };
  const headers = signedHeaders(signed, SECRETS.map(keyOf));
  const ours = SECRETS.map((secret) => ({ headers, body: BODY, secret, now: NOW, is: true }));
  const [first] = ours;
  if (first === undefined) throw new Error('expected a secret');
  const unsigned = signedHeaders(signed, []);
  return [
    ...ours,
    { ...first, secret: 'another secret of some length', is: false },
    { ...first, body: `${BODY} `, is: false },
    { ...first, now: NOW + 301, is: false },
    { ...first, headers: { ...headers, 'webhook-id': 'msg_2' }, is: false },
    { ...first, headers: { ...unsigned, 'webhook-signature': 'v1, v2,x' }, is: false },
  ];
}

type Verify = (
  ...question: [
    headers: Readonly<Record<string, string>>,
    body: string,
    secret: string,
    now: number,
  ]
) => boolean;

t.test('the receiver in Node takes what we sign and nothing else', async (t) => {
  const file = join(t.testdir(), 'verify.mjs');
  writeFileSync(file, block('js'));
  const { isOurs } = (await import(pathToFileURL(file).href)) as { isOurs: Verify };
  for (const { headers, body, secret, now, is } of questions())
    t.equal(isOurs(headers, body, secret, now), is);
});

t.test('the receiver in Python takes what we sign and nothing else', async (t) => {
  const file = join(t.testdir(), 'verify.py');
  const asked = questions();
  const main = [
    'import json, sys',
    'for each in json.load(sys.stdin):',
    '    given = each["headers"], each["body"].encode(), each["secret"], each["now"]',
    '    print(json.dumps(is_ours(*given)))',
  ];
  writeFileSync(file, `${block('python')}\n${main.join('\n')}\n`);
  const out = execFileSync('python3', [file], { input: JSON.stringify(asked), encoding: 'utf8' });
  t.same(
    out
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line)),
    asked.map(({ is }) => is),
  );
});

t.test('every event is documented, and no other', async (t) => {
  const rows = tableRows(readPage(PAGE), 'event').map(([cell]) => codeIn(cell));
  // The table of alerts names some of them again.
  t.same(rows.slice(0, WEBHOOK_EVENTS.length), WEBHOOK_EVENTS);
});

t.test('the event that is shown is one that is sent', async (t) => {
  const shown = JSON.parse(block('json event'));
  const event = aWebhookEvent({ why: shown.data.why });
  t.same(shown, JSON.parse(bodyOf('understudy', event) ?? ''));
});
