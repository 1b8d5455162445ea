import type { ServerCounts, Target, TargetFacts } from '../nouns/target.ts';
import { CONTROL_MS_MAX, type Control, isGrpc, type Reply } from './control.ts';
import { countsIn } from './counts.ts';
import { GrpcControl } from './grpc-control.ts';
import { FactsError, readModelFacts, readModelNames, readServerName } from './read-facts.ts';
import { RestControl } from './rest-control.ts';
import { TargetError } from './target-error.ts';

/**
 * Asks a server for itself and the model, on the wire that the load will use. Rejects with a TargetError, at the latest when one
 * question has had no answer for `msMax`.
 */
export async function askTarget(target: Target, msMax = CONTROL_MS_MAX): Promise<TargetFacts> {
  const control = controlOf(target, msMax);
  const server = await control.ask('server');
  const model = await control.ask('model');
  if (model.kind === 'refusal') throw await refusedModel(target, control, model);
  try {
    return {
      server: server.kind === 'answer' ? readServerName(server.value) : undefined,
      ...readModelFacts(model.value),
    };
  } catch (error) {
    if (!(error instanceof FactsError)) throw error;
    const asked = control.nameOf('model');
    throw new TargetError({
      asked,
      found: error.message,
      fix: IS_IT_ONE,
    });
  }
}

/**
 * The server's counts for a target; undefined where it keeps none that can be read, or is too busy to tell: no load is lost for
 * that.
 */
export async function readCounts(
  target: Target,
  msMax = CONTROL_MS_MAX,
): Promise<ServerCounts | undefined> {
  const reply = await controlOf(target, msMax)
    .ask('statistics')
    .catch((error: unknown) => {
      if (error instanceof TargetError) return undefined;
      throw error;
    });
  return reply?.kind === 'answer' ? countsIn(target, reply.value) : undefined;
}

function controlOf(target: Target, msMax: number): Control {
  return isGrpc(target) ? new GrpcControl(target, msMax) : new RestControl(target, msMax);
}

type Refusal = Reply & { readonly kind: 'refusal' };

async function refusedModel(
  target: Target,
  control: Control,
  { status, details }: Refusal,
): Promise<TargetError> {
  const asked = control.nameOf('model');
  const found = details === '' ? status : `${status}: ${details.replace(/\.$/, '')}`;
  return new TargetError({ asked, found, fix: await fixOf(status, target, control) });
}

async function fixOf(status: string, { model }: Target, control: Control): Promise<string> {
  switch (status) {
    // Nothing but the names can be wrong in a question that has nothing else in it.
    case '400':
    case '404':
    case 'INVALID_ARGUMENT':
    case 'NOT_FOUND': {
      const names = await modelNames(control);
      if (names.length > 0) return `It has ${names.join(', ')}.`;
      return `Is ${model} the name that the server has for the model?`;
    }
    case '401':
    case '403':
    case 'PERMISSION_DENIED':
    case 'UNAUTHENTICATED':
      return 'Does it want a header with a key?';
    // An answer that is no JSON, or that leads elsewhere.
    case '200':
    case '301':
    case '302':
    case '307':
    case '308':
    case 'UNIMPLEMENTED':
      return IS_IT_ONE;
    default:
      return '';
  }
}

const IS_IT_ONE = 'Is it a server of the Open Inference Protocol?';

/** From the repository index; none where the server has no such thing. */
async function modelNames(control: Control): Promise<readonly string[]> {
  const reply = await control.ask('index').catch(() => undefined);
  return reply?.kind === 'answer' ? readModelNames(reply.value) : [];
}
