import type { Asker } from '../../core/entrance.ts';
import { ServeError } from '../../core/errors.ts';
import type { TensorSpec } from '../../core/tensor.ts';
import type { Readiness } from '../../gateway/describe-model.ts';
import { EXTENSIONS } from '../extensions.ts';
import { modelConfigOf } from '../model-config.ts';
import type { Service } from '../service.ts';
import { modelStatsOf } from '../statistics.ts';

type Named = { readonly name: string; readonly version: string };

/** The calls for liveness, readiness and metadata of the server and its models. */
export function createAboutCalls(service: Service) {
  const { gateway, serverName, serverVersion } = service;
  return {
    ServerLive: () => ({ live: true }),
    ServerReady: () => ({ ready: gateway.serverReadiness().ready }),
    /** A model that there is not is not ready: a caller that has just unloaded one asks for nothing else. */
    ModelReady: ({ name, version }: Named, asker: Asker) => {
      asker.check('infer', name);
      return { ready: readinessOr(() => gateway.modelReadiness(name, versionOf(version))).ready };
    },
    ServerMetadata: () => ({ name: serverName, version: serverVersion, extensions: EXTENSIONS }),
    ModelMetadata: ({ name, version }: Named, asker: Asker) => {
      asker.check('infer', name);
      const metadata = gateway.metadata(name, versionOf(version));
      return {
        name: metadata.name,
        versions: metadata.versions,
        platform: metadata.platform,
        inputs: metadata.inputs.map(tensorBody),
        outputs: metadata.outputs.map(tensorBody),
        properties: metadata.properties,
      };
    },
    ModelConfig: ({ name, version }: Named, asker: Asker) => {
      asker.check('infer', name);
      return { config: modelConfigOf(name, gateway.version(name, versionOf(version))) };
    },
    ModelStatistics: ({ name, version }: Named, asker: Asker) => {
      if (name !== '') asker.check('infer', name);
      const found = statisticsOf(service, name, versionOf(version));
      return {
        model_stats: found.filter(({ model }) => asker.may('infer', model)).map(modelStatsOf),
      };
    },
  };
}

/** A version is optional, and proto3 has no absent string. */
function versionOf(version: string): string | undefined {
  return version === '' ? undefined : version;
}

function readinessOr(read: () => Readiness): Readiness {
  try {
    return read();
  } catch (thrown) {
    return { ready: false, reason: ServeError.from(thrown).message };
  }
}

function statisticsOf({ gateway, statistics }: Service, name: string, version: string | undefined) {
  if (name === '') return statistics();
  const state = gateway.version(name, version);
  return statistics(name, version === undefined ? undefined : state.version);
}

function tensorBody({ name, dtype, shape }: TensorSpec) {
  return { name, datatype: dtype, shape };
}
