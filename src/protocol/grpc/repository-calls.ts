import type { Asker } from '../../core/entrance.ts';
import { ServeError } from '../../core/errors.ts';
import { checkUnloadRequest, readLoadRequest } from '../load-request.ts';
import { unexpected } from '../refusal.ts';
import { repositoryIndexOf } from '../repository-index.ts';
import type { Service } from '../service.ts';

type IndexRequest = { readonly repository_name: string; readonly ready: boolean };

/** A value, by the name of the field that holds it. */
type Parameter = { readonly parameter_choice?: string; readonly [field: string]: unknown };

type ControlRequest = {
  readonly repository_name: string;
  readonly model_name: string;
  readonly parameters: Readonly<Record<string, Parameter>>;
};

/** The calls that list, load and unload models. */
export function createRepositoryCalls({ repository }: Pick<Service, 'repository'>) {
  return {
    RepositoryIndex: async ({ repository_name, ready }: IndexRequest, asker: Asker) => {
      refuseRepository(repository_name);
      const seen = (await repository.index()).filter(({ model }) => asker.may('infer', model));
      return { models: repositoryIndexOf(seen, { ready }) };
    },
    RepositoryModelLoad: async (request: ControlRequest, asker: Asker) => {
      const { repository_name, model_name, parameters } = request;
      asker.check('operate', model_name);
      refuseRepository(repository_name);
      await repository.load(model_name, readLoadRequest(valuesOf(parameters), contentOf));
      return {};
    },
    RepositoryModelUnload: async (request: ControlRequest, asker: Asker) => {
      const { repository_name, model_name, parameters } = request;
      asker.check('operate', model_name);
      refuseRepository(repository_name);
      checkUnloadRequest(valuesOf(parameters));
      await repository.unload(model_name);
      return {};
    },
  };
}

type Values = Readonly<Record<string, unknown>>;

function valuesOf(parameters: ControlRequest['parameters']): Values {
  const values = Object.entries(parameters).map(([name, parameter]) => {
    const { parameter_choice: choice } = parameter;
    return [name, choice === undefined ? undefined : parameter[choice]] as const;
  });
  return Object.fromEntries(values);
}

function contentOf(value: unknown, name: string): Uint8Array {
  if (value instanceof Uint8Array) return value;
  throw unexpected(`parameter '${name}'`, 'bytes_param', typeof value);
}

function refuseRepository(name: string): void {
  if (name === '') return;
  throw new ServeError(
    'unsupported',
    `'repository_name' specification is not supported: expected none, found '${name}'`,
  );
}
