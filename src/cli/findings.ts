import { counted } from '../core/text.ts';
import { colours } from './colours.ts';
import { EXIT, type ExitCode } from './exit-code.ts';

/** What a check found. */
export type Finding = {
  /** `fail`: it will not work. `warn`: it will, and not as well as it might. */
  readonly level: 'ok' | 'warn' | 'fail';
  readonly subject: string;
  readonly message: string;
  /** What to do about it. */
  readonly fix?: string;
};

const GLYPHS = {
  ok: colours.green('✔'),
  warn: colours.yellow('⚠'),
  fail: colours.red('✖'),
} as const satisfies Record<Finding['level'], string>;

/** A line each, what to do below it, and a last line that counts them. */
export function formatFindings(findings: readonly Finding[]): string {
  const lines = findings.flatMap(({ level, subject, message, fix }) => [
    `${GLYPHS[level]} ${subject}: ${message}`,
    ...(fix === undefined ? [] : [`    ${fix}`]),
  ]);
  const count = (level: Finding['level']): number =>
    findings.filter((finding) => finding.level === level).length;
  return [
    ...lines,
    `${count('ok')} good, ${counted(count('warn'), 'warning')}, ${counted(count('fail'), 'problem')}`,
  ].join('\n');
}

/** A warning fails nothing. */
export function exitCodeOfFindings(findings: readonly Finding[]): ExitCode {
  return findings.some(({ level }) => level === 'fail') ? EXIT.failed : EXIT.ok;
}
