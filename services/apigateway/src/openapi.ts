import { operationId, operationView, userCreateBody } from '@tideshop/contracts/operations'
import { quoteBody, quoteView } from '@tideshop/contracts/pricing'
import { z } from 'zod'

/** The door's contract, OpenAPI 3.1, made from the schemas that check the requests, so the two cannot differ. */

const problem = z.object({
  title: z.string(),
  status: z.int(),
  detail: z.string().optional(),
  errors: z.array(z.object({ path: z.string(), message: z.string() })).optional(),
})

const schemas = {
  Operation: jsonSchema(operationView),
  UserCreate: jsonSchema(userCreateBody),
  Quote: jsonSchema(quoteView),
  // As it is sent: what has a default may be left out.
  QuoteRequest: jsonSchema(quoteBody, 'input'),
  Problem: jsonSchema(problem),
}

function jsonSchema(schema: z.ZodType, io: 'input' | 'output' = 'output') {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io })
  return rest
}

function ref(name: keyof typeof schemas) {
  return { $ref: `#/components/schemas/${name}` }
}

function answer(description: string, name: keyof typeof schemas, mediaType = 'application/json') {
  return { description, content: { [mediaType]: { schema: ref(name) } } }
}

function no(description: string) {
  return answer(description, 'Problem', 'application/problem+json')
}

const later = {
  ...no(
    'Something that is needed is away. `uncertain`: it may have been done, repeat with the same Idempotency-Key.',
  ),
  headers: { 'Retry-After': { description: 'Seconds', schema: { type: 'integer' } } },
}

const idempotencyKeyHeader = {
  name: 'Idempotency-Key',
  in: 'header',
  required: false,
  description: 'The same key with the same body is the same operation, however often it is sent.',
  schema: { type: 'string', minLength: 1, maxLength: 200, pattern: '^[\\x21-\\x7e]{1,200}$' },
}

export const openApi = {
  openapi: '3.1.0',
  info: { title: 'Tideshop', version: '1', description: 'A shop that scales like the tide.' },
  paths: {
    '/operation/create/user-create': {
      post: {
        tags: ['operations'],
        operationId: 'createUser',
        summary: 'Ask for a new user',
        parameters: [idempotencyKeyHeader],
        requestBody: { required: true, content: { 'application/json': { schema: ref('UserCreate') } } },
        responses: {
          202: {
            ...answer('Accepted: it will end, once', 'Operation'),
            headers: { Location: { description: 'Where to follow it', schema: { type: 'string' } } },
          },
          400: no('Broken JSON or wrong fields'),
          413: no('Body too large'),
          415: no('Not application/json'),
          422: no('The idempotency key belongs to a request with another body'),
          503: later,
        },
      },
    },
    '/operation/get/{uuid}': {
      get: {
        tags: ['operations'],
        operationId: 'getOperation',
        summary: 'Follow an operation',
        parameters: [{ name: 'uuid', in: 'path', required: true, schema: jsonSchema(operationId) }],
        responses: {
          200: answer('The operation as it stands', 'Operation'),
          400: no('Malformed id'),
          404: no('No such operation'),
          503: later,
        },
      },
    },
    '/api/prices/quote': {
      post: {
        tags: ['prices'],
        operationId: 'quotePrice',
        summary: 'What a basket costs, with sales and vouchers',
        requestBody: { required: true, content: { 'application/json': { schema: ref('QuoteRequest') } } },
        responses: {
          200: answer('The price; amounts are whole cents', 'Quote'),
          400: no('Broken JSON or wrong fields'),
          413: no('Body too large'),
          415: no('Not application/json'),
          503: later,
        },
      },
    },
  },
  components: { schemas },
} as const
