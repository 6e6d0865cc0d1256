import type { Server } from 'node:http'
import { expect, test } from 'vitest'
import { listenerOf } from './listener.ts'

/** Milliseconds after which a sidecar closes a connection that it does not use: IdleConnTimeout of Go's http.DefaultTransport. */
const SIDECAR_KEEPS_MS = 90_000

test('it is the sidecar that closes a connection which nobody uses, also where it speaks gRPC', () => {
  const app = () => undefined
  const [http1] = listenerOf(app).requests as Server[]
  const [besideGrpc] = listenerOf(app, app).requests as Server[]
  expect(http1?.keepAliveTimeout).toBeGreaterThan(SIDECAR_KEEPS_MS)
  expect(besideGrpc?.keepAliveTimeout).toBeGreaterThan(SIDECAR_KEEPS_MS)
})
