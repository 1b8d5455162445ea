import type { Answer } from './http-caller.ts';

/** What an attack got that it should not have. */
export class Faults {
  readonly found: string[] = [];

  add(fault: string): void {
    this.found.push(fault);
  }

  /** A fault unless the answer has one of these statuses; `closed`: the connection ended without an answer. */
  async unless(
    what: string,
    expected: readonly (number | 'closed')[],
    answer: Promise<Answer>,
  ): Promise<void> {
    const { status, text } = await answer.catch((error: unknown) => ({
      status: 'closed' as const,
      text: String(error),
    }));
    if (!expected.includes(status))
      this.add(`${what}: expected ${expected.join(' or ')}, found ${status} ${text.slice(0, 200)}`);
  }
}
