import { bentoml } from './bentoml.ts';
import { kserve } from './kserve.ts';
import { litserve } from './litserve.ts';
import { mlserver } from './mlserver.ts';
import type { Peer } from './peer.ts';
import { rayServe } from './ray-serve.ts';
import { triton } from './triton.ts';
import { understudy } from './understudy.ts';

export const PEERS: readonly Peer[] = [
  understudy,
  triton,
  mlserver,
  kserve,
  bentoml,
  litserve,
  rayServe,
];
