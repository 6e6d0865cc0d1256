import { later, no, retryAfter } from './words.ts'

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
type Paths = Record<string, Record<string, object>>
type Operation = { security?: readonly object[]; responses: Record<number, Answer> }

export const SIGNED_IN = [{ token: [] }, { session: [] }]
/** Guests, too. */
const ANYBODY = [{}, ...SIGNED_IN]

const unauthenticated: Answer = {
  ...no('Nobody knows who asks: there is no token, or one that is not right or over'),
  headers: { 'WWW-Authenticate': { schema: { type: 'string' } } },
}
const tooMany: Answer = { ...no('Asked too often'), headers: retryAfter }

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
export function forStaff<P extends Paths>(paths: P): P {
  return each(paths, (_method, operation) => ({
    ...operation,
    security: SIGNED_IN,
    responses: { ...operation.responses, 403: no('Whoever asks has not the permission') },
  }))
}

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

/** Not there in a shop without an issuer. */
export const sessionPaths = {
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
