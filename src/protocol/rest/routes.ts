/** Every route of the data plane: docs/reference/protocol.md says what each does. */

import type { TimeSlicer } from '../../concurrency/time-slicer.ts';
import type { CallerNames } from '../../core/web-caller.ts';
import { INFER, LABEL_ANY } from '../needs.ts';
import type { Service } from '../service.ts';
import type { BodyMemory } from './body-memory.ts';
import type { AskerOf } from './caller-door.ts';
import { createControlDoor } from './control-door.ts';
import { createFeedbackRoute, type Feedback } from './feedback-route.ts';
import { createInferRoute } from './infer-route.ts';
import type { RestLimits } from './limits.ts';
import type { ShareOf } from './memory-shares.ts';
import { modelRoutes, serverRoutes } from './model-routes.ts';
import { repositoryRoutes } from './repository-routes.ts';
import { post, type RestRoute } from './route.ts';
import { settingsRoutes } from './settings-routes.ts';
import { sharedMemoryRoutes } from './shared-memory-routes.ts';

export type RouteOptions = {
  readonly service: Service;
  readonly feedback: Feedback;
  readonly limits: RestLimits;
  readonly memory: BodyMemory;
  readonly shareOf: ShareOf;
  readonly slicer: TimeSlicer;
  readonly names: () => CallerNames;
  readonly askerOf: AskerOf;
};

export function createRoutes({
  service,
  feedback,
  limits,
  memory,
  slicer,
  shareOf,
  names,
  askerOf,
}: RouteOptions): readonly RestRoute[] {
  const infer = createInferRoute({ service, limits, memory, slicer, shareOf, askerOf });
  const body = { limits, slicer };
  const onRequest = createControlDoor(names);
  const control = [
    ...repositoryRoutes(service, { ...body, askerOf }),
    ...settingsRoutes(service, body),
  ];
  return [
    ...serverRoutes(service, askerOf),
    ...['/v2/models/:model', '/v2/models/:model/versions/:version'].flatMap((url) => [
      ...modelRoutes(url, service),
      { ...post(`${url}/infer`, INFER, infer), isInference: true },
    ]),
    ...control.map((route) => (route.method === 'GET' ? route : { ...route, onRequest })),
    ...sharedMemoryRoutes(body),
    post('/v1/feedback', LABEL_ANY, createFeedbackRoute(feedback, askerOf)),
  ];
}
