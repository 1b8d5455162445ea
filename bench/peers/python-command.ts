import { join } from 'node:path';
import { serversFolder } from './environment.ts';
import { type Command, ROWS_MAX, type Start, WAIT_S } from './peer.ts';

/** One of the servers that take their settings from the command line, as `arguments()` of `served_model.py` reads them. */
export function pythonCommand(script: string, form: string, start: Start): Command {
  if (start.environment === undefined) throw new Error('expected an environment');
  const settings = [start.model.file, start.httpPort, form, ROWS_MAX, WAIT_S, start.grpcPort];
  return {
    argv: [start.environment.python, join(serversFolder, script), ...settings.map(String)],
    environment: { PYTHONPATH: serversFolder },
  };
}
