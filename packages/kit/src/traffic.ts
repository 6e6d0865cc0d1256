import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Listener } from './listener.ts'

/**
 * When a service that was told to stop may go: when nothing more is under way, and nobody outside keeps a connection on which the
 * next request would come just as it is cut.
 *
 * Since a stop each answer ends its connection. A caller who is silent meanwhile is waited for until it has let go by itself: it
 * was told for how long it may keep what it does not use. Its sidecar, which is at loopback, is not waited for: it is told
 * to stop at the same moment, and asks again where it was cut.
 */

/** Milliseconds: without a request, which counts as quiet; for who is silent; and the most for both. */
export type Patience = { quietMs: number; silentMs: number; mostMs: number }

/** Seconds that an answer allows who is outside to keep a connection unused. Sidecars do not look at it. */
const KEPT_S = 10
const POLL_MS = 50

/** The last is no more than `dapr.io/block-shutdown-duration` in k8s/base; the second is more than KEPT_S. */
export const PATIENCE: Patience = { quietMs: 500, silentMs: 12_000, mostMs: 15_000 }

/** They go on to the very end and are nobody's work. */
const PROBES: ReadonlySet<string | undefined> = new Set([
  '/healthz',
  '/readyz',
  '/dapr.proto.runtime.v1.AppCallbackHealthCheck/HealthCheck',
  '/grpc.health.v1.Health/Check',
])

/** From before the first connection. `left` resolves when the service may go; it is asked after `stopping`. */
export function watchTraffic(
  { requests }: Listener,
  stopping: AbortSignal,
  patience: Patience = PATIENCE,
): { left: () => Promise<void> } {
  const kept = new Set<Socket>()
  let open = 0
  let lastAt = 0
  const connected = (socket: Socket) => {
    if (isNeighbour(socket)) return
    kept.add(socket)
    socket.once('close', () => kept.delete(socket))
  }
  const opened = (request: IncomingMessage, response: ServerResponse) => {
    if (request.httpVersionMajor === 1) tellConnection(request, response, stopping.aborted)
    if (PROBES.has(request.url)) return
    open += 1
    response.once('close', () => {
      open -= 1
      lastAt = performance.now()
    })
  }
  for (const server of requests) {
    server.on('connection', connected)
    // Before the app, which may answer at once.
    server.prependListener('request', opened)
  }
  return {
    async left() {
      const began = performance.now()
      const since = (at: number) => performance.now() - at
      const isQuiet = () => open === 0 && since(Math.max(lastAt, began)) > patience.quietMs
      const nobodyKeeps = () => kept.size === 0 || since(began) > patience.silentMs
      while (!(isQuiet() && nobodyKeeps()) && since(began) < patience.mostMs) await sleep(POLL_MS)
    },
  }
}

function tellConnection(request: IncomingMessage, response: ServerResponse, isStopping: boolean): void {
  if (isStopping) {
    response.setHeader('connection', 'close')
    return
  }
  const isKept = request.httpVersion === '1.1' && request.headers.connection?.toLowerCase() !== 'close'
  if (!isKept || isNeighbour(request.socket)) return
  // Node says its own `keep-alive` only where nobody else says anything of the connection.
  response.setHeader('connection', 'keep-alive')
  response.setHeader('keep-alive', `timeout=${KEPT_S}`)
}

/** At loopback: the sidecar, and on a laptop everybody. */
function isNeighbour({ remoteAddress }: Socket): boolean {
  return remoteAddress === undefined || remoteAddress === '::1' || /^(::ffff:)?127\./.test(remoteAddress)
}
