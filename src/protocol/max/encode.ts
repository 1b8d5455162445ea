import type { FastifyReply } from 'fastify';

import type { ModelAssetPrediction } from './model.ts';

/** Exactly this: clients compare the header with it, and the framework would add a charset to anything but bytes. */
const JSON_TYPE = 'application/json';

export function jsonBytes(value: unknown): Buffer {
  return Buffer.from(`${JSON.stringify(value)}\n`);
}

export function sendJson(reply: FastifyReply, body: Buffer): void {
  reply.header('content-type', JSON_TYPE).send(body);
}

export function encodePredictions(predictions: readonly ModelAssetPrediction[]): Buffer {
  return jsonBytes({ status: 'ok', predictions });
}

/** `{count, labels: [{id, name}]}`; an id is what predictions call `label_id`. */
export function encodeLabels(labels: readonly string[]): Buffer {
  const entries = labels.map((name, index) => ({ id: String(index), name }));
  return jsonBytes({ count: labels.length, labels: entries });
}
