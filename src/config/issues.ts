import type * as z from 'zod';

/** One thing that a value does not satisfy, at a path inside it. `onKey` points at the key rather than at its value. */
export type Issue = {
  readonly path: readonly (string | number)[];
  readonly message: string;
  readonly onKey: boolean;
};

/** What zod found, one entry per problem: unknown keys split up, unions reduced to the branch that was meant. */
export function issuesOf(error: z.ZodError): readonly Issue[] {
  return withoutRepeats(flatten(error.issues, []));
}

/** `models.fashion.route.split`. */
export function formatPath(path: readonly (string | number)[]): string {
  return path.map(String).join('.');
}

function flatten(
  issues: readonly z.core.$ZodIssue[],
  parent: readonly (string | number)[],
): readonly Issue[] {
  return issues.flatMap((issue): readonly Issue[] => {
    const path = [...parent, ...issue.path.map(segmentOf)];
    if (issue.code === 'unrecognized_keys') {
      const lines = issue.message.split('\n');
      return issue.keys.map((key, index) => ({
        path: [...path, key],
        message: lines[index] ?? issue.message,
        onKey: true,
      }));
    }
    if (issue.code === 'invalid_key') {
      return [{ path, message: issue.issues[0]?.message ?? issue.message, onKey: true }];
    }
    const meant = issue.code === 'invalid_union' ? branchMeant(issue.errors) : undefined;
    return meant ? flatten(meant, path) : [{ path, message: issue.message, onKey: false }];
  });
}

/** The first branch that took the value's kind and complained about something inside it. */
function branchMeant(
  branches: readonly (readonly z.core.$ZodIssue[])[],
): readonly z.core.$ZodIssue[] | undefined {
  return branches.find(
    (issues) =>
      issues.length > 0 &&
      issues.every(
        ({ path, code }) => path.length > 0 || code === 'unrecognized_keys' || code === 'custom',
      ),
  );
}

function segmentOf(segment: PropertyKey): string | number {
  return typeof segment === 'symbol' ? String(segment) : segment;
}

function withoutRepeats(issues: readonly Issue[]): readonly Issue[] {
  const seen = new Set<string>();
  return issues.filter(({ path, message }) => {
    const key = `${formatPath(path)}\0${message}`;
    return !seen.has(key) && seen.add(key);
  });
}
