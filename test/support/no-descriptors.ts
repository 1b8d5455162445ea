/** A gateway that has run out of file descriptors tries to start a host, and says what came of it. */
import { openSync, writeSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { messageOf } from '../../src/core/errors.ts';
import { startHost } from '../../src/host/host.ts';
import { aHostOptions } from './a-host.ts';

const STDOUT = 1;
const say = (line: string) => writeSync(STDOUT, `${line}\n`);

const options = aHostOptions({ tier: 'process' });
for (let free = true; free; ) {
  try {
    openSync('/dev/null', 'r');
  } catch {
    free = false;
  }
}
await startHost(options).catch((error: unknown) => say(messageOf(error)));
await pause(50);
say('alive');
