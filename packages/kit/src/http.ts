import express, { type ErrorRequestHandler, type Express, type RequestHandler, type Response } from 'express'
import { Refusal, type RefusalCode } from './refusal.ts'
import { exposeMetrics, type Log, type Metrics } from './telemetry.ts'

/** Bytes of a request body, where the route does not say otherwise. */
const BODY_MAX = 64 * 1024
/** Seconds after which a caller may try again what was refused for now. */
export const RETRY_AFTER_S = 1

/** Statuses of what may be tried again. */
const REFUSED_FOR_NOW = new Set([429, 503])

export const statusOf: Record<RefusalCode, number> = {
  invalid: 400,
  unauthenticated: 401,
  forbidden: 403,
  'not-found': 404,
  conflict: 409,
  'too-large': 413,
  'wrong-media-type': 415,
  'key-reused': 422,
  'too-many': 429,
  unavailable: 503,
  uncertain: 503,
}

export type HttpParts = {
  log: Log
  metrics: Metrics
  /** Throws while something that the service needs is away. */
  ready: () => Promise<void>
  /** What a browser is shown instead of problem details; of a service that browsers talk to. */
  errorPage?: (status: number, detail?: string) => string
}

/**
 * An Express app that knows its health and answers every error as problem details (RFC 9457).
 * `routes` adds what the service does.
 */
export function httpApp(parts: HttpParts, routes: (app: Express) => void): Express {
  const { metrics, ready } = parts
  const app = express()
  app.disable('x-powered-by')
  // What changes with each look needs no hash to compare it by.
  app.disable('etag')
  app.use(timed(metrics))
  app.get('/healthz', (_request, response) => {
    response.json({ status: 'ok' })
  })
  app.get('/readyz', async (_request, response) => {
    await ready()
    response.json({ status: 'ready' })
  })
  exposeMetrics(app, metrics)
  routes(app)
  app.use(noSuchRoute, problem(parts))
  return app
}

/** Reads a JSON body of so many bytes at most. Without it a route has none. */
export function jsonBodyUpTo(bytes: number): RequestHandler {
  // Any JSON value passes here: the schema says what it has to be, and where it is not.
  const readJson = express.json({ limit: bytes, strict: false })
  return (request, response, next) => {
    if (request.is('application/json')) readJson(request, response, next)
    else next(new Refusal('wrong-media-type', 'send a body with content-type application/json'))
  }
}

export const jsonBody = jsonBodyUpTo(BODY_MAX)

function timed({ requestSeconds }: Metrics): RequestHandler {
  return (request, response, next) => {
    const stop = requestSeconds.startTimer()
    response.once('finish', () => {
      const route = String(request.route?.path ?? 'none')
      stop({ method: request.method, route, status: String(response.statusCode) })
    })
    next()
  }
}

const noSuchRoute: RequestHandler = ({ method, path }) => {
  throw new Refusal('not-found', `there is no ${method} ${path}`)
}

/** The only place that makes errors of refusals. */
function problem({ log, errorPage }: HttpParts): ErrorRequestHandler {
  return (thrown, request, response, _next) => {
    const refusal = asRefusal(thrown)
    if (refusal === null) {
      // What broke is for the operator to read, never for the caller.
      log.error({ err: thrown, method: request.method, path: request.path }, 'a request failed')
    }
    const status = refusal === null ? 500 : statusOf[refusal.code]
    if (REFUSED_FOR_NOW.has(status)) sayWhenAgain(response)
    response.status(status)
    if (errorPage !== undefined && request.accepts(['json', 'html']) === 'html')
      response.type('html').send(errorPage(status, refusal?.message))
    else response.type('application/problem+json').json(problemDetails(status, refusal))
  }
}

/** Unless whoever refused knows better. */
function sayWhenAgain(response: Response): void {
  if (!response.hasHeader('retry-after')) response.set('retry-after', String(RETRY_AFTER_S))
}

function problemDetails(status: number, refusal: Refusal | null): object {
  if (refusal === null) return { title: 'internal', status }
  const { code, message, errors } = refusal
  return { title: code, status, detail: message, ...(errors.length > 0 && { errors }) }
}

/** Our own refusals, and those of Express and its body parser, which carry a `type` and a status below 500. */
function asRefusal(thrown: unknown): Refusal | null {
  if (thrown instanceof Refusal) return thrown
  const { type, status, limit } = thrown as { type?: string; status?: number; limit?: number }
  if (status === undefined || status < 400 || status >= 500) return null
  if (status === 413) return new Refusal('too-large', `a body may have ${limit} bytes`)
  if (status === 415) return new Refusal('wrong-media-type', 'send the body as UTF-8, not compressed')
  if (type === 'entity.parse.failed') return new Refusal('invalid', 'the body is not JSON')
  return new Refusal('invalid', 'the request cannot be read')
}
