import { setTimeout as sleep } from 'node:timers/promises'
import { Pool } from 'undici'
import { Refusal } from './refusal.ts'

/** Connections to the sidecar; each carries one request at a time. */
const CONNECTIONS_MAX = 64

/** Milliseconds for the sidecar to say how it is. */
const READY_TIMEOUT_MS = 1000
/**
 * Milliseconds for which a sidecar that is not ready is asked again. Kubernetes asks once a second at most: told no a moment
 * too early, a pod that wakes would stand idle for another second (docs/scaling.md).
 */
const READY_WAIT_MS = 800
const READY_LOOK_EVERY_MS = 50

/** The sidecar repeats the failures of a bulk publish in a header, about 100 bytes per event. */
const HEADER_BYTES_MAX = 512 * 1024

/** A request to the app's own sidecar over HTTP. `path` begins with `/v1.0/`. */
export type SidecarRequest = {
  method: 'GET' | 'POST' | 'PUT'
  path: string
  headers?: Record<string, string>
  body?: string | Buffer
  /** Milliseconds until the whole exchange is given up. */
  timeoutMs: number
}

export type SidecarResponse = {
  status: number
  headers: Record<string, string | string[] | undefined>
  body: Buffer
}

/** Throws when there was no answer: the sidecar is away, or slower than `timeoutMs`. Any status is an answer. */
export type Sidecar = {
  send: (request: SidecarRequest) => Promise<SidecarResponse>
  /** Throws a refusal when the sidecar cannot reach out for us, and does not become able to within a moment. */
  ready: () => Promise<void>
  close: () => Promise<void>
}

/**
 * Our own client, because the SDK's is four times slower, answers for a handler that threw, and hides partial
 * failures of a bulk publish (docs/decisions/0003).
 */
export function sidecarOn(port: number): Sidecar {
  const pool = new Pool(`http://127.0.0.1:${port}`, {
    connections: CONNECTIONS_MAX,
    pipelining: 1,
    maxHeaderSize: HEADER_BYTES_MAX,
  })

  async function send({
    method,
    path,
    headers = {},
    body,
    timeoutMs,
  }: SidecarRequest): Promise<SidecarResponse> {
    // Not AbortSignal.timeout: it cannot be called off, and builds an error with a stack for each request that was in time.
    const late = new AbortController()
    const timer = setTimeout(() => late.abort(), timeoutMs)
    try {
      const response = await pool.request({ method, path, headers, body: body ?? null, signal: late.signal })
      const bytes = Buffer.from(await response.body.arrayBuffer())
      return { status: response.statusCode, headers: response.headers, body: bytes }
    } finally {
      clearTimeout(timer)
    }
  }

  return {
    send,
    async ready() {
      const asked = { method: 'GET', path: '/v1.0/healthz/outbound', timeoutMs: READY_TIMEOUT_MS } as const
      const giveUpAt = performance.now() + READY_WAIT_MS
      while ((await send(asked).catch(() => null))?.status !== 204) {
        if (performance.now() > giveUpAt) throw new Refusal('unavailable', 'the sidecar is not ready')
        await sleep(READY_LOOK_EVERY_MS)
      }
    },
    close: () => pool.close(),
  }
}
