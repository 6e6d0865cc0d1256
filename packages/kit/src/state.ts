import { Refusal } from './refusal.ts'
import type { Sidecar, SidecarResponse } from './sidecar.ts'

/**
 * A Dapr state store whose values are changed under the ETag of what was read: `first-write`, so who was slower is told so. Of a
 * key that is not there yet the same, without an ETag. Source: https://docs.dapr.io/reference/api/state_api/
 */
export type StateStore = {
  /** Null when nothing is kept. Throws a refusal, `unavailable`, when nobody answers. */
  read: (key: string, timeoutMs: number) => Promise<{ value: unknown; etag: string } | null>
  /** False when somebody else was faster. Throws a refusal, `uncertain`, when nobody answers. */
  write: (wish: StateWrite, timeoutMs: number) => Promise<boolean>
}

/** `etag`: of what was read; undefined where there was nothing. `metadata`: as the store's component knows it. */
export type StateWrite = {
  key: string
  value: unknown
  etag: string | undefined
  metadata?: Record<string, string>
}

/** `name`: of the component. `words`: for the callers of a service whose store does not answer. */
export function stateStore(
  sidecar: Sidecar,
  name: string,
  words: { unavailable: string; uncertain: string },
): StateStore {
  const path = `/v1.0/state/${name}`
  return {
    async read(key, timeoutMs) {
      const answer = await sidecar
        .send({ method: 'GET', path: `${path}/${key}`, timeoutMs })
        .catch(() => null)
      if (answer?.status === 204) return null
      if (answer?.status !== 200) throw new Refusal('unavailable', words.unavailable)
      return { value: JSON.parse(answer.body.toString()), etag: etagOf(answer) }
    },

    async write({ etag, ...wish }, timeoutMs) {
      const item = { ...wish, ...(etag !== undefined && { etag }), options: { concurrency: 'first-write' } }
      const answer = await sidecar
        .send({
          method: 'POST',
          path,
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify([item]),
          timeoutMs,
        })
        .catch(() => null)
      if (answer?.status === 409) return false
      if (answer?.status !== 204) throw new Refusal('uncertain', words.uncertain)
      return true
    },
  }
}

/** Always there: an answer without one would be written over whatever comes between. */
function etagOf({ headers }: SidecarResponse): string {
  const { etag } = headers
  if (typeof etag !== 'string') throw new Error('the state store gave no ETag')
  return etag
}
