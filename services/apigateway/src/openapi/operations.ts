import { operationId } from '@tideshop/contracts/operations'
import { accepted, answer, idempotencyKeyHeader, inPath, jsonBody, later, no, wrongBody } from './words.ts'

export const operationPaths = {
  '/operation/create/user-create': {
    post: {
      tags: ['operations'],
      operationId: 'createUser',
      summary: 'Ask for a new user',
      parameters: [idempotencyKeyHeader],
      requestBody: jsonBody('UserCreate'),
      responses: {
        202: accepted('Accepted: it will end, once', 'Operation'),
        ...wrongBody,
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
      parameters: [inPath('uuid', operationId)],
      responses: {
        200: answer('The operation as it stands', 'Operation'),
        400: no('Malformed id'),
        404: no('No such operation'),
        503: later,
      },
    },
  },
} as const
