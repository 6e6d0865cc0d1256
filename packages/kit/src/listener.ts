import type { EventEmitter } from 'node:events'
import { createServer as createHttp1, type RequestListener } from 'node:http'
import { createServer as createHttp2, type Http2ServerRequest, type Http2ServerResponse } from 'node:http2'
import { createServer, type Server, type Socket } from 'node:net'

/**
 * What a service listens with. One that speaks gRPC has one port all the same: probes and metrics come by HTTP/1 as to every
 * other service, and calls by HTTP/2, which says so in its first bytes.
 */
export type Listener = {
  server: Server
  /** Each emits `request` with the request and its response. */
  requests: EventEmitter[]
  /** What is still open then is cut. */
  closeConnections: () => void
}

/** Answers calls: grpc.ts. */
export type GrpcHandler = (request: Http2ServerRequest, response: Http2ServerResponse) => void

/** What every HTTP/2 connection begins with; no method of HTTP/1 does. Source: RFC 9113, 3.4. */
const HTTP2_PREFACE = 'PRI'
/**
 * Milliseconds for which a connection that nobody uses stays open: longer than the 90 s after which a sidecar closes it (Go's
 * DefaultTransport). With Node's own 5 s we closed first, now and then just as the sidecar wrote, and the request was lost
 * (docs/dapr-notes.md).
 */
const KEEP_ALIVE_MS = 100_000
/** Milliseconds that a connection may take to say what it is. */
const FIRST_BYTES_MS = 10_000
/** Calls at once in one connection, which is all that a sidecar has. */
const STREAMS_MAX = 1000

export function listenerOf(app: RequestListener, grpc?: GrpcHandler): Listener {
  const http1 = createHttp1({ keepAliveTimeout: KEEP_ALIVE_MS }, app)
  if (grpc === undefined) {
    return { server: http1, requests: [http1], closeConnections: () => http1.closeAllConnections() }
  }

  const http2 = createHttp2({ settings: { maxConcurrentStreams: STREAMS_MAX } }, grpc)
  // By hand: neither of the two listens, and who does not listen knows of no connection.
  const open = new Set<Socket>()
  const server = createServer((socket) => {
    open.add(socket)
    socket.once('close', () => open.delete(socket))
    onFirstBytes(socket, (bytes) => {
      const isHttp2 = bytes.toString('latin1', 0, HTTP2_PREFACE.length) === HTTP2_PREFACE
      const spoken: EventEmitter = isHttp2 ? http2 : http1
      spoken.emit('connection', socket)
      // HTTP/2 takes what is there by itself.
      if (!isHttp2) socket.resume()
    })
  })
  return {
    server,
    requests: [http1, http2],
    closeConnections() {
      for (const socket of open) socket.destroy()
    },
  }
}

/** Shows what came first without taking it away. */
function onFirstBytes(socket: Socket, look: (bytes: Buffer) => void): void {
  const cut = () => socket.destroy()
  socket.once('error', cut)
  socket.setTimeout(FIRST_BYTES_MS, cut)
  socket.once('data', (bytes) => {
    socket.off('error', cut)
    socket.off('timeout', cut)
    socket.setTimeout(0)
    socket.pause()
    socket.unshift(bytes)
    look(bytes)
  })
}
