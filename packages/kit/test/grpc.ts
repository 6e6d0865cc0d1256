import { once } from 'node:events'
import type { RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createGrpcTransport, Http2SessionManager } from '@connectrpc/connect-node'
import { onTestFinished } from 'vitest'
import { type GrpcHandler, listenerOf } from '../src/listener.ts'

/** A service at a port of its own until the test ends, and the way to it for a client that is no sidecar. */
export async function serveBoth(app: RequestListener, grpc: GrpcHandler) {
  const { server, closeConnections } = listenerOf(app, grpc)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const baseUrl = `http://127.0.0.1:${port}`
  const sessionManager = new Http2SessionManager(baseUrl)
  onTestFinished(() => {
    sessionManager.abort()
    server.close()
    closeConnections()
  })
  return {
    server,
    closeConnections,
    url: baseUrl,
    port,
    transport: createGrpcTransport({ baseUrl, sessionManager }),
  }
}
