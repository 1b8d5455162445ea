import { join } from 'node:path';
import t from 'tap';
import { configOf, NO_FILE } from '../../src/config/load.ts';
import { lintRepository } from '../../src/models/lint.ts';
import { projectRoot } from '../support/project-root.ts';

t.test('what the shipped models say can be served, and nothing is missing', async (t) => {
  const config = { ...configOf(NO_FILE), repository: join(projectRoot, 'models') };
  const { models, missing, problem } = await lintRepository(config);
  t.ok(models.length > 0);
  for (const { model, versions, problems } of models) {
    t.ok(versions.length > 0, model);
    t.same(problems, [], model);
  }
  t.same([missing, problem], [[], undefined]);
});
