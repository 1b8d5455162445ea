import type { Config } from './schema.ts';

/**
 * The configuration in force. What is read from it at each use follows a reload; what is taken from it once, at the start, stays
 * (`reload-effect.ts` says which is which).
 */
export class RunningConfig implements Config {
  #present: Config;

  constructor(present: Config) {
    this.#present = present;
  }

  /** Everything that is read from here on is as in this one. */
  replace(next: Config): void {
    this.#present = next;
  }

  get server(): Config['server'] {
    return this.#present.server;
  }

  get auth(): Config['auth'] {
    return this.#present.auth;
  }

  get repository(): Config['repository'] {
    return this.#present.repository;
  }

  get repositoryPollMs(): Config['repositoryPollMs'] {
    return this.#present.repositoryPollMs;
  }

  get ledger(): Config['ledger'] {
    return this.#present.ledger;
  }

  get cache(): Config['cache'] {
    return this.#present.cache;
  }

  get limits(): Config['limits'] {
    return this.#present.limits;
  }

  get telemetry(): Config['telemetry'] {
    return this.#present.telemetry;
  }

  get quotas(): Config['quotas'] {
    return this.#present.quotas;
  }

  get rollout(): Config['rollout'] {
    return this.#present.rollout;
  }

  get models(): Config['models'] {
    return this.#present.models;
  }

  get webhooks(): Config['webhooks'] {
    return this.#present.webhooks;
  }

  get source(): Config['source'] {
    return this.#present.source;
  }
}
