import type { ModelAssetMetadata } from './model.ts';
import { IMAGE_HELP } from './status.ts';

const JSON_TYPE = 'application/json';

const text = { type: 'string' } as const;

const DEFINITIONS = {
  ModelMetadata: {
    type: 'object',
    required: ['id', 'name', 'description', 'type', 'source'],
    properties: {
      id: { ...text, description: 'Model identifier' },
      name: { ...text, description: 'Model name' },
      description: { ...text, description: 'What the model does' },
      type: { ...text, description: 'Kind of task' },
      source: { ...text, description: 'Where the model is from' },
      license: { ...text, description: 'Licence of the model' },
    },
  },
  Label: {
    type: 'object',
    required: ['id', 'name'],
    properties: { id: text, name: text },
  },
  ModelLabels: {
    type: 'object',
    required: ['count', 'labels'],
    properties: {
      count: { type: 'integer', description: 'Number of classes' },
      labels: { type: 'array', items: { $ref: '#/definitions/Label' } },
    },
  },
  LabelPrediction: {
    type: 'object',
    required: ['label', 'probability'],
    properties: {
      label_id: { ...text, description: 'Identifier of the class' },
      label: { ...text, description: 'Name of the class' },
      probability: { type: 'number', description: 'From 0 to 1' },
    },
  },
  ModelPredictResponse: {
    type: 'object',
    required: ['status'],
    properties: {
      status: { ...text, description: 'ok' },
      predictions: { type: 'array', items: { $ref: '#/definitions/LabelPrediction' } },
    },
  },
  Error: { type: 'object', required: ['message'], properties: { message: text } },
} as const;

/** The routes as a Swagger 2.0 document. */
export function swaggerOf({ name, description }: ModelAssetMetadata, version: string): object {
  return {
    swagger: '2.0',
    basePath: '/',
    info: { title: name, version, description },
    produces: [JSON_TYPE],
    consumes: [JSON_TYPE],
    tags: [{ name: 'model', description: 'Model information and inference operations' }],
    paths: {
      '/model/metadata': { get: reading('get_metadata', 'About the model', 'ModelMetadata') },
      '/model/labels': { get: reading('get_labels', 'The classes', 'ModelLabels') },
      '/model/predict': { post: PREDICT },
    },
    definitions: DEFINITIONS,
    responses: {},
  };
}

const PREDICT = {
  operationId: 'predict',
  summary: 'Name what an image shows',
  tags: ['model'],
  consumes: ['multipart/form-data'],
  parameters: [
    { name: 'image', in: 'formData', type: 'file', required: true, description: IMAGE_HELP },
  ],
  responses: {
    200: { description: 'Success', schema: schemaOf('ModelPredictResponse') },
    400: { description: 'No image, or one that cannot be read', schema: schemaOf('Error') },
  },
};

function reading(operationId: string, summary: string, definition: keyof typeof DEFINITIONS) {
  return {
    operationId,
    summary,
    tags: ['model'],
    responses: { 200: { description: 'Success', schema: schemaOf(definition) } },
  };
}

function schemaOf(definition: keyof typeof DEFINITIONS) {
  return { $ref: `#/definitions/${definition}` };
}
