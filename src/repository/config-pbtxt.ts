import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import protobuf from 'protobufjs';
import protoJson from 'protobufjs/ext/protojson.js';
import textFormat from 'protobufjs/ext/textformat.js';
import { ConfigError } from '../config/config-error.ts';
import { unknownKey } from '../config/expected.ts';
import { programFolder } from '../config/program.ts';
import { messageOf } from '../core/errors.ts';
import { tokensOf } from './pbtxt-tokens.ts';
import { quoted } from './quoted.ts';
import type { TritonModelConfig } from './triton-config.ts';

/** Of a configuration, in either form. It is read at one go, on the thread that serves requests. */
export const CONFIG_BYTES_MAX = 1024 * 1024;

/** Characters of a text in which columns are looked for: that takes some readings of it. */
const COLUMNS_LENGTH_MAX = 64 * 1024;

/**
 * Reads a `config.pbtxt`: a model configuration in the text format of protocol buffers.
 *
 * @throws ConfigError at the line that is wrong, with what was expected there.
 */
export function readConfigPbtxt({ file, text }: { file: string; text: string }): TritonModelConfig {
  checkLength(file, text);
  // Editors of one system begin files with a byte order mark.
  const content = text.replace(/^\ufeff/, '');
  try {
    return plain(textFormat.fromText(configType(), content));
  } catch (cause) {
    const lines = content.split('\n');
    const line = lineOf(messageOf(cause), lines);
    const column = columnOf(messageOf(cause), lines, line);
    const whole = lines[line - 1] ?? '';
    const found = whole.length > 80 ? whole.slice(Math.max(0, column - 41)) : whole;
    const message = `${shortened(inOurWords(messageOf(cause)))}, found ${quoted(found.trim())}`;
    throw new ConfigError([{ file, line, column, path: '', message }], { cause });
  }
}

/**
 * Reads the same message from JSON: names as in the text format or in camel case, whole numbers also as strings, enumerations
 * by name or number.
 *
 * @throws Error that says what was expected.
 */
export function readConfigJson(text: string): TritonModelConfig {
  checkLength('model configuration', text);
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw new Error(`model configuration: expected JSON: ${messageOf(cause)}`, { cause });
  }
  try {
    const config = plain(protoJson.fromJson(configType(), json));
    // A zero that is written says more than none, and that form of reading drops it.
    return saysZeroRows(json) ? { ...config, max_batch_size: 0 } : config;
  } catch (cause) {
    throw new Error(`model configuration: ${inOurWords(messageOf(cause))}`, { cause });
  }
}

function saysZeroRows(json: unknown): boolean {
  if (typeof json !== 'object' || json === null) return false;
  const { max_batch_size: snake, maxBatchSize: camel }: Record<string, unknown> = { ...json };
  const written = snake ?? camel;
  return written !== undefined && written !== null && Number(written) === 0;
}

function checkLength(where: string, { length }: string): void {
  if (length <= CONFIG_BYTES_MAX) return;
  throw new Error(`${where}: expected at most ${CONFIG_BYTES_MAX} characters, found ${length}`);
}

let type: protobuf.Type | undefined;

function configType(): protobuf.Type {
  type ??= protobuf
    .parse(readFileSync(join(programFolder, 'protos', 'model_config.proto'), 'utf8'), {
      keepCase: true,
    })
    .root.lookupType('inference.ModelConfig');
  return type;
}

function plain(message: protobuf.Message): TritonModelConfig {
  return configType().toObject(message, { enums: String, longs: Number, bytes: String });
}

/**
 * The parser names the line for some errors only. Any other occurs for every prefix of the text that
 * includes its line; for a shorter prefix there is no error, or one that names its line. So the line is found by bisection.
 */
function lineOf(message: string, lines: readonly string[]): number {
  const named = /\(line (\d+)\)$/.exec(message)?.[1];
  if (named !== undefined) return Number(named);
  let [before, at] = [0, lines.length];
  while (at - before > 1) {
    const middle = Math.floor((before + at) / 2);
    if (failure(lines.slice(0, middle).join('\n')) === message) at = middle;
    else before = middle;
  }
  return at;
}

/** As for lines, within one: where the word begins after which the error comes up. */
function columnOf(message: string, lines: readonly string[], line: number): number {
  const above = lines.slice(0, line - 1).map((each) => `${each}\n`);
  const length = above.reduce((sum, each) => sum + each.length, 0);
  const text = lines[line - 1] ?? '';
  if (length + text.length > COLUMNS_LENGTH_MAX) return 1;
  const start = above.join('');
  let [before, at] = [0, text.length];
  while (at - before > 1) {
    const middle = Math.floor((before + at) / 2);
    if (failure(start + text.slice(0, middle)) === message) at = middle;
    else before = middle;
  }
  for (const token of tokensOf(text)) if (token.at + token.text.length >= at) return token.at + 1;
  return 1;
}

function failure(text: string): string | undefined {
  try {
    textFormat.fromText(configType(), text);
    return undefined;
  } catch (error) {
    return messageOf(error);
  }
}

/** The library's message with what could have been written instead. */
function inOurWords(message: string): string {
  const unknown = /^\.([\w.]+): unknown field:? ['"]([^'"]*)['"]/.exec(message);
  if (unknown?.[1] !== undefined && unknown[2] !== undefined) {
    return unknownKey(unknown[2], Object.keys(configType().root.lookupType(unknown[1]).fields));
  }
  const choice = /^\.([\w.]+)\.(\w+): (?:enum value expected|unknown enum value)/.exec(message);
  if (choice?.[1] !== undefined && choice[2] !== undefined) {
    const field = configType().root.lookupType(choice[1]).fields[choice[2]]?.resolvedType;
    const names = field instanceof protobuf.Enum ? Object.keys(field.values) : [];
    return `${choice[2]}: expected one of ${names.join(', ')}`;
  }
  if (message.startsWith('scheduling_choice:')) {
    return 'expected one of dynamic_batching, sequence_batching and ensemble_scheduling';
  }
  return message
    .replace(/ \(line \d+\)$/, '')
    .replace(/^\.inference\./, '')
    .replace(/: multiple values$/, ': expected it once');
}

/** It may repeat what was written. */
function shortened(message: string): string {
  return message.length > 500 ? `${message.slice(0, 497)}...` : message;
}
