import { saleId, sku } from '@tideshop/contracts/catalog'
import { z } from 'zod'
import type { Permission } from './permissions.ts'

/** What the door's contract says of accounts: how one shows who one is, what the staff may, and who is refused. */

export const securitySchemes = {
  token: {
    type: 'http',
    scheme: 'bearer',
    bearerFormat: 'JWT',
    description: 'An access token of the issuer, for programs',
  },
  session: {
    type: 'apiKey',
    in: 'cookie',
    name: 'tideshop-session',
    description: 'Of `/sign-in`, for browsers',
  },
} as const

type Answer = { description: string; content?: object; headers?: object }
type SchemaName =
  | 'GoodToPut'
  | 'SaleToPut'
  | 'Good'
  | 'Sale'
  | 'Stock'
  | 'StockDelivery'
  | 'ShopSettings'
  | 'SettingsToPut'
  | 'ReportsPage'
type Words = {
  answer: (description: string, name: SchemaName) => Answer
  no: (description: string) => Answer
  body: (name: SchemaName) => object
  later: Answer
}

type Paths = Record<string, Record<string, object>>
type Operation = { security?: readonly object[]; responses: Record<number, Answer> }

const SIGNED_IN = [{ token: [] }, { session: [] }]
/** Guests, too. */
const ANYBODY = [{}, ...SIGNED_IN]

const problem = { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } }

const unauthenticated: Answer = {
  description: 'Nobody knows who asks: there is no token, or one that is not right or over',
  headers: { 'WWW-Authenticate': { schema: { type: 'string' } } },
  content: problem,
}
const tooMany: Answer = {
  description: 'Asked too often',
  headers: { 'Retry-After': { description: 'Seconds', schema: { type: 'integer' } } },
  content: problem,
}

/** Any route may be asked with a token, and refuses one that is not right; what changes something may not be asked too often. */
export function withWhoAsks<P extends Paths>(paths: P): P {
  return each(paths, refusing)
}

function each<P extends Paths>(paths: P, change: (method: string, operation: Operation) => Operation): P {
  const changed = (path: Paths[string]) =>
    Object.entries(path).map(([method, operation]) => [method, change(method, operation as Operation)])
  const all = Object.entries(paths).map(([name, path]) => [name, Object.fromEntries(changed(path))])
  return Object.fromEntries(all)
}

function refusing(method: string, { security = ANYBODY, responses, ...operation }: Operation): Operation {
  const changes = method !== 'get' && { 429: tooMany }
  return { ...operation, security, responses: { ...responses, 401: unauthenticated, ...changes } }
}

/** Routes that another part describes, behind a permission. */
export function forStaff<P extends Paths>(paths: P, no: (description: string) => Answer): P {
  return each(paths, (_method, operation) => ({
    ...operation,
    security: SIGNED_IN,
    responses: { ...operation.responses, 403: no('Whoever asks has not the permission') },
  }))
}

const skuInPath = inPath('sku', sku)

function inPath(name: string, schema: z.ZodType) {
  const { $schema: _, ...rest } = z.toJSONSchema(schema)
  return { name, in: 'path', required: true, schema: rest }
}

export function ownersPaths({ answer, no, body, later, listReports }: Words & { listReports: object[] }) {
  return {
    '/api/admin/settings': {
      get: {
        tags: ['admin'],
        operationId: 'getAllSettings',
        summary: 'The settings of the shop, as they are kept',
        responses: { 200: answer('The settings', 'ShopSettings'), 503: later },
      },
      put: {
        tags: ['admin'],
        operationId: 'putSettings',
        summary: 'Change the settings of this version',
        requestBody: body('SettingsToPut'),
        responses: {
          200: answer('The settings as they are now', 'ShopSettings'),
          400: no('Broken JSON or wrong fields'),
          409: no('They were changed since'),
          413: no('Body too large'),
          415: no('Not application/json'),
          503: later,
        },
      },
    },
    '/api/admin/reports': {
      get: {
        tags: ['admin'],
        operationId: 'listReports',
        summary: 'The days of the shop, the newest first',
        parameters: listReports,
        responses: {
          200: answer('A page of reports', 'ReportsPage'),
          400: no('Malformed query'),
          503: later,
        },
      },
    },
  }
}

export function adminPaths({ answer, no, body, later }: Words) {
  const wrong = {
    400: no('Malformed id, broken JSON or wrong fields'),
    413: no('Body too large'),
    415: no('Not application/json'),
  }
  const staff = (permission: Permission) => ({
    403: no(`Whoever asks has not the permission \`${permission}\``),
  })
  const put = (operationId: string, summary: string, parameter: object) => ({
    tags: ['admin'],
    operationId,
    summary,
    security: SIGNED_IN,
    parameters: [parameter],
  })
  return {
    '/api/admin/goods/{sku}': {
      put: {
        ...put('putGood', 'Put a good on a shelf, or change the one of this version', skuInPath),
        requestBody: body('GoodToPut'),
        responses: {
          200: answer('The good as it is now', 'Good'),
          ...wrong,
          ...staff('catalog:write'),
          404: no('Nothing of that version is there to change'),
          409: no('It was changed since'),
          503: later,
        },
      },
    },
    '/api/admin/sales/{id}': {
      put: {
        ...put('putSale', 'Plan a sale, or change the one of this version', inPath('id', saleId)),
        requestBody: body('SaleToPut'),
        responses: {
          200: answer('The sale as it is now', 'Sale'),
          ...wrong,
          ...staff('catalog:write'),
          404: no('Nothing of that version is there to change'),
          409: no('It was changed since'),
          503: later,
        },
      },
    },
    '/api/admin/stock/{sku}': {
      get: {
        ...put('getStock', 'How much of a good there is', skuInPath),
        responses: {
          200: answer('Pieces', 'Stock'),
          400: no('Malformed sku'),
          ...staff('stock:read'),
          404: no('No such good'),
          503: later,
        },
      },
    },
    '/api/admin/stock/{sku}/deliveries': {
      post: {
        ...put('deliverStock', 'More pieces came; the same id is the same delivery', skuInPath),
        requestBody: body('StockDelivery'),
        responses: {
          200: answer('The delivery', 'StockDelivery'),
          ...wrong,
          ...staff('stock:deliver'),
          404: no('No such good'),
          422: no('The id stands for something else'),
          503: later,
        },
      },
    },
  }
}

/** Not there in a shop without an issuer. */
export function sessionPaths({ no, later }: Pick<Words, 'no' | 'later'>) {
  const away = {
    description: 'The browser is sent on',
    headers: { Location: { schema: { type: 'string' } } },
  }
  const notHere = no('This shop has no issuer')
  const query = (name: string, description: string) => ({
    name,
    in: 'query',
    required: false,
    description,
    schema: { type: 'string' },
  })
  return {
    '/sign-in': {
      get: {
        tags: ['accounts'],
        operationId: 'signIn',
        summary: 'Send a browser to the issuer',
        parameters: [
          query('to', 'Path of the page to come back to'),
          query('hint', 'Who is likely to sign in'),
        ],
        responses: { 303: away, 400: no('Not a path of this shop'), 404: notHere, 429: tooMany, 503: later },
      },
    },
    '/sign-out': {
      get: {
        tags: ['accounts'],
        operationId: 'signOut',
        summary: 'Forget who it is, here and at the issuer',
        responses: { 303: away, 403: no('Another site sent the browser here'), 404: notHere },
      },
    },
  }
}
