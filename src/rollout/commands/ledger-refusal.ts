import { type Refusal, refused } from '../../core/refusal.ts';
import type { Logbook } from '../history/logbook.ts';

type Book = Pick<Logbook, 'health' | 'isFenced' | 'unrecorded'>;

/** Why nothing can be done before it is known what is on record; undefined: it is known. */
export function refusalOfUnread(book: Pick<Book, 'health'>): Refusal | undefined {
  const health = book.health();
  if (health.kind === 'healthy' || health.cause !== 'unread') return undefined;
  return refused(
    'not_ready',
    `${health.why}, and no traffic is routed: try again once it has been`,
  );
}

/** Everything but an abort has to be on record before it is carried out. */
export function refusalOfLedger(book: Book): Refusal | undefined {
  const health = book.health();
  if (book.isFenced())
    return refused('controller_fenced', 'another process writes to the ledger: ask that one');
  if (health.kind === 'healthy' && book.unrecorded() === 0) return undefined;
  const why = health.kind === 'healthy' ? 'records wait to be written' : health.why;
  return (
    refusalOfUnread(book) ??
    refused(
      'ledger_degraded',
      `the ledger takes no records (${why}): only abort is carried out. Try again once it does`,
    )
  );
}
