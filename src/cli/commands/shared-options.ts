import type { Command } from 'commander';
import { FORMATS_TEXT } from '../output.ts';

/** For a command that prints a result. */
export function withOutput(command: Command): Command {
  return command.option('-o, --output <format>', FORMATS_TEXT, 'table');
}

/** For a command that asks a running gateway, and prints the answer. */
export function withGateway(command: Command): Command {
  return withOutput(
    command
      .option(
        '--admin <url>',
        'admin address of the gateway (default: UNDERSTUDY_ADMIN, else http://127.0.0.1:8002)',
      )
      .option(
        '--api-key-file <file>',
        'file with an API key or a token (default: UNDERSTUDY_API_KEY)',
      )
      .option('--ca-file <file>', 'authorities to trust, in PEM, for an https address')
      .option('--client-cert <file>', 'client certificate, in PEM')
      .option('--client-key <file>', 'its private key, in PEM')
      .option('--allow-plaintext', 'send the key to another machine without TLS'),
  );
}

/** For a command that changes something, which the ledger records. */
export function withReason(command: Command): Command {
  return command.option(
    '--reason <text>',
    'reason, recorded in the ledger',
    'asked for at the command line',
  );
}
