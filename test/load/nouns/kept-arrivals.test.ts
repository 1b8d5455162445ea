import t from 'tap';
import { arrivalsText } from '../../../src/load/nouns/arrivals-text.ts';
import { keptArrivals } from '../../../src/load/nouns/kept-arrivals.ts';

t.test('a report keeps recorded arrivals as their count, length and digest', async (t) => {
  const kept = keptArrivals({ kind: 'recorded', atMs: [0, 150, 150, 420], file: 'trace.csv' });
  // python3 -c "import hashlib,struct;print(hashlib.sha256(struct.pack('<4d',0,150,150,420)).hexdigest())"
  const sha256 = '69e21f2e1b0e5070b5f324b8273489d755820fa07028ef59039579838205f1b7';
  t.strictSame(kept, { kind: 'recorded', count: 4, durationMs: 420, sha256, file: 'trace.csv' });
  t.match(
    arrivalsText(kept),
    /^4 recorded arrivals of trace.csv in .* \(SHA-256 of the times: [0-9a-f]{12}\.\.\.\)$/,
  );
  const closed = { kind: 'closed', concurrency: 2 } as const;
  t.equal(keptArrivals(closed), closed);
});
