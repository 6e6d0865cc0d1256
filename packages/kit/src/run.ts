import { once } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Express } from 'express'
import { listenAt } from './early-port.ts'
import { type GrpcHandler, type Listener, listenerOf } from './listener.ts'
import type { Log } from './telemetry.ts'

/**
 * The life of a service: listen, work until SIGTERM or SIGINT, finish what was begun, leave.
 *
 * On Kubernetes the app and its sidecar are told to stop at the same moment, and the sidecar still has a batch in
 * flight and answers to publish. So the app goes on serving until it has been quiet for a moment, and only then
 * closes; a bound keeps a chatty neighbour from holding it.
 */

/** Milliseconds without a request that count as quiet, and the most that is waited for it. */
const QUIET_MS = 500
const DRAIN_MAX_MS = 15_000
const POLL_MS = 50

/** They go on to the very end and are nobody's work. */
const PROBES: ReadonlySet<string | undefined> = new Set([
  '/healthz',
  '/readyz',
  '/dapr.proto.runtime.v1.AppCallbackHealthCheck/HealthCheck',
  '/grpc.health.v1.Health/Check',
])

export type Service = {
  app: Express
  /** At the same port, for a service that speaks gRPC (grpc.ts). */
  grpc?: GrpcHandler
  port: number
  /** Where it listens. By itself everywhere. */
  host?: string
  log: Log
  /** Runs beside the requests until `stop` fires: a sweep, say. */
  work?: (stop: AbortSignal) => Promise<void>
  /** Runs last: connections to close. */
  close: () => Promise<void>
}

/** Resolves when the service has left; the process then ends by itself. */
export async function run({ app, grpc, port, host, log, work, close }: Service): Promise<void> {
  const stopping = new AbortController()
  const listener = listenerOf(app, grpc)
  const { server } = listener
  const traffic = watch(listener, stopping.signal)
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => {
      log.info({ signal }, 'stopping')
      stopping.abort()
    })
  }

  await listenAt(server, port, host)
  log.info({ port }, 'listening')
  const working = work?.(stopping.signal)

  if (!stopping.signal.aborted) await once(stopping.signal, 'abort')
  await traffic.quiet()
  server.close()
  listener.closeConnections()
  await working
  await close()
  log.info('left')
}

function watch({ requests }: Listener, stopping: AbortSignal): { quiet: () => Promise<void> } {
  let open = 0
  let lastAt = 0
  const opened = (request: IncomingMessage, response: ServerResponse) => {
    // Who keeps its connection would send the next request just as it is cut.
    if (stopping.aborted && request.httpVersionMajor === 1) response.setHeader('connection', 'close')
    if (PROBES.has(request.url)) return
    open += 1
    response.once('close', () => {
      open -= 1
      lastAt = performance.now()
    })
  }
  // Before the app, which may answer at once.
  for (const server of requests) server.prependListener('request', opened)
  return {
    async quiet() {
      const began = performance.now()
      const waitedEnough = () => performance.now() - began > DRAIN_MAX_MS
      const isQuiet = () => open === 0 && performance.now() - Math.max(lastAt, began) > QUIET_MS
      while (!isQuiet() && !waitedEnough()) await sleep(POLL_MS)
    },
  }
}
