import type { Test } from 'tap';
import type { RunningGateway } from './a-gateway.ts';
import { type Block, blocksOf, readPage } from './page.ts';
import { runBlock } from './shell.ts';

/** One block of a page, the gateway that it is run against. */
export type Checked = {
  readonly page: string;
  readonly block: Block;
  readonly gateway: RunningGateway;
};

/**
 * Runs a block of shell as its reader would: it is answered or, where it says `refused`, is not, and an answer has the fields of
 * the JSON that follows it.
 */
export async function checkBlock(
  t: Pick<Test, 'same' | 'equal' | 'not'>,
  { page, block, gateway }: Checked,
): Promise<void> {
  const where = `${page}:${block.line}`;
  const { code, out, errors } = await runBlock(block.text, gateway);
  const told = (out + errors).slice(0, 300);
  if (block.info.endsWith('refused')) t.not(code, 0, `${where} is refused: ${told}`);
  else t.equal(code, 0, `${where} is answered: ${told}`);
  t.not(out + errors, '', `${where} prints something`);
  const blocks = blocksOf(readPage(page));
  const next = blocks[blocks.findIndex(({ line }) => line === block.line) + 1];
  if (next?.info !== 'json') return;
  t.same(unlike(JSON.parse(next.text), JSON.parse(out)), [], `${where} answers as shown: ${told}`);
}

/** Where an answer has not the fields, or not the kinds of value, that are shown. Entries of a list stand for each other. */
function unlike(shown: unknown, found: unknown, at = ''): readonly string[] {
  if (Array.isArray(shown) && Array.isArray(found)) {
    return shown.length > 0 && found.length > 0 ? unlike(shown[0], found[0], `${at}[]`) : [];
  }
  if (isRecord(shown) && isRecord(found)) {
    return Object.entries(shown).flatMap(([key, value]) =>
      unlike(value, found[key], `${at}.${key}`),
    );
  }
  return typeof shown === typeof found && Array.isArray(shown) === Array.isArray(found)
    ? []
    : [`${at}: shown ${JSON.stringify(shown)}, found ${JSON.stringify(found)}`];
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
