import t from 'tap';
import type { LogEntry } from '../../src/core/log.ts';
import { reportInternalErrors } from '../../src/telemetry/report-internal-errors.ts';

t.test(
  'an internal error is counted by the first word of its operation, and logged whole',
  async (t) => {
    const operations: string[] = [];
    const lines: LogEntry[] = [];
    const report = reportInternalErrors(
      { onInternalError: (operation) => operations.push(operation) },
      (entry) => lines.push(entry),
    );
    report('report paired', new Error('boom'));
    t.same(operations, ['report']);
    t.same(lines, [{ level: 'error', message: 'boom', facts: { operation: 'report paired' } }]);
  },
);
