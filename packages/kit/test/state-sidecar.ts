import { randomUUID } from 'node:crypto'
import type { Sidecar, SidecarRequest, SidecarResponse } from '../src/sidecar.ts'

type Item = { value: unknown; etag: string; ttlInSeconds: string | undefined }

type StateSidecar = Sidecar & {
  items: Map<string, Item>
  /** `GET` or `POST`: does not answer. */
  away: Set<string>
}

/**
 * The sidecar of an app with a state store, in memory, by what tests/traps/state.test.ts saw of the real one. `arrives` may make a
 * request wait.
 */
export function stateSidecar(arrives: () => Promise<unknown> = async () => {}): StateSidecar {
  const items = new Map<string, Item>()
  const away = new Set<string>()

  async function send({ method, path, body }: SidecarRequest): Promise<SidecarResponse> {
    await arrives()
    if (away.has(method)) throw new Error('connect ECONNREFUSED')
    return method === 'GET' ? read(path.split('/').at(-1) ?? '') : write(JSON.parse(String(body)))
  }

  function read(key: string): SidecarResponse {
    const item = items.get(key)
    return item === undefined ? said(204) : said(200, item.value, { etag: item.etag })
  }

  function write([{ key, value, etag, metadata, options }]: [
    {
      key: string
      value: unknown
      etag?: string
      metadata?: { ttlInSeconds?: string }
      options?: { concurrency?: string }
    },
  ]): SidecarResponse {
    const isGuarded = options?.concurrency === 'first-write'
    if (isGuarded && items.get(key)?.etag !== etag) return said(409, { errorCode: 'ERR_STATE_SAVE' })
    items.set(key, { value, etag: randomUUID(), ttlInSeconds: metadata?.ttlInSeconds })
    return said(204)
  }

  return { items, away, send, ready: async () => {}, close: async () => {} }
}

function said(status: number, body?: unknown, headers: Record<string, string> = {}): SidecarResponse {
  return { status, headers, body: Buffer.from(body === undefined ? '' : JSON.stringify(body)) }
}
