import { join } from 'node:path';
import { checkSection } from '../config/schema.ts';
import { messageOf } from '../core/errors.ts';
import { CONFIG_BYTES_MAX, readConfigJson, readConfigPbtxt } from './config-pbtxt.ts';
import { isMissing } from './is-missing.ts';
import { readLabels } from './labels.ts';
import { type FolderSays, SAYS_NOTHING } from './package.ts';
import { placeOf } from './pbtxt-places.ts';
import { readRegularText } from './regular-file.ts';
import type { TritonModelConfig } from './triton-config.ts';
import { settingsFrom } from './triton-settings.ts';
import { checkTensors } from './triton-tensors.ts';
import { warmupSamples } from './triton-warmup.ts';

const CONFIG_FILE = 'config.pbtxt';

export type ModelFolderOptions = {
  readonly model: string;
  /** JSON text of a model configuration that goes in place of the folder's `config.pbtxt`. */
  readonly config: string | undefined;
};

/**
 * What a model's folder says of all its versions, in its `config.pbtxt`; undefined where it has none.
 *
 * @throws Error that names the file, what was expected and what was found.
 */
export async function readModelFolder(
  directory: string,
  { model, config }: ModelFolderOptions,
): Promise<FolderSays | undefined> {
  if (config !== undefined)
    return saysOf(readConfigJson(config), {
      directory,
      model,
      file: 'model configuration',
      text: undefined,
    });
  const file = join(directory, CONFIG_FILE);
  const text = await readRegularText(file, CONFIG_FILE, CONFIG_BYTES_MAX).catch(
    (cause: unknown) => {
      if (isMissing(cause)) return undefined;
      throw new Error(`expected a readable ${CONFIG_FILE}: ${messageOf(cause)}`, { cause });
    },
  );
  if (text === undefined) return undefined;
  return saysOf(readConfigPbtxt({ file: CONFIG_FILE, text }), {
    directory,
    model,
    file: CONFIG_FILE,
    text,
  });
}

type Place = {
  readonly directory: string;
  readonly model: string;
  readonly file: string;
  /** As it was written, to find lines in; undefined: it has none. */
  readonly text: string | undefined;
};

async function saysOf(config: TritonModelConfig, place: Place): Promise<FolderSays> {
  const { directory, file } = place;
  const { section, modelFile, declared, batching, tensors, warmups, ignored } = placed(place, () =>
    settingsFrom(config, place.model),
  );
  const baseConfig = { file, section };
  checkSection(baseConfig);
  const labelsByOutput = new Map<string, readonly string[]>();
  for (const [output, labels] of declared.labelFiles) {
    labelsByOutput.set(output, await readLabels(directory, labels));
  }
  return {
    settings: { baseConfig, ignored, declared },
    modelFile: modelFile ?? SAYS_NOTHING.modelFile,
    labelsByOutput,
    fit: (signature) => placed(place, () => checkTensors(tensors, batching, signature)),
    warmupsFor: (signature) => warmupSamples(warmups, signature, directory),
  };
}

/** Puts the file, the line and the column before the error in a configuration. */
function placed<T>({ file, text }: Place, read: () => T): T {
  try {
    return read();
  } catch (cause) {
    const message = messageOf(cause);
    const found = text === undefined ? undefined : placeOf(text, message);
    const where = found ? `${file}:${found.line}:${found.column}` : `${file}:`;
    throw new Error(`${where} ${message}`, { cause });
  }
}
