import type { Case } from '../case.ts';
import { binaryCases } from './binary.ts';
import { classificationCases } from './classification.ts';
import { coreCases } from './core.ts';
import { errorCases } from './errors.ts';
import { httpErrorCases } from './http-errors.ts';
import { inferenceCases } from './inference.ts';
import { parameterCases } from './parameters.ts';
import { repositoryCases } from './repository.ts';
import { serverCases } from './server.ts';
import { statisticsCases } from './statistics.ts';
import { streamingCases } from './streaming.ts';
import { valueCases } from './values.ts';

/** All cases, in the order in which they run: those that change what the server has loaded come last. */
export function everyCase(): readonly Case[] {
  return [
    ...coreCases(),
    ...valueCases(),
    ...inferenceCases(),
    ...binaryCases(),
    ...errorCases(),
    ...httpErrorCases(),
    ...parameterCases(),
    ...classificationCases(),
    ...statisticsCases(),
    ...streamingCases(),
    ...serverCases(),
    ...repositoryCases(),
  ];
}
