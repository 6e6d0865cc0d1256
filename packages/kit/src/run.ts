import { once } from 'node:events'
import type { Express } from 'express'
import { listenAt } from './early-port.ts'
import { type GrpcHandler, listenerOf } from './listener.ts'
import type { Log } from './telemetry.ts'
import { watchTraffic } from './traffic.ts'

/**
 * The life of a service: listen, work until SIGTERM or SIGINT, finish what was begun, leave.
 *
 * On Kubernetes the app and its sidecar are told to stop at the same moment, and the sidecar still has a batch in
 * flight and answers to publish. So the app goes on serving until it has been quiet for a moment (traffic.ts), and only
 * then closes; a bound keeps a chatty neighbour from holding it.
 */

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
  const traffic = watchTraffic(listener, stopping.signal)
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
  await traffic.left()
  server.close()
  listener.closeConnections()
  await working
  await close()
  log.info('left')
}
