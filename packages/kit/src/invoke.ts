import { Refusal } from './refusal.ts'
import type { Sidecar, SidecarResponse } from './sidecar.ts'

/**
 * Milliseconds for one call, which a crowd of callers may share while the next crowd gathers (batcher.ts). Longer where whoever is
 * called has to call others first.
 */
const INVOKE_TIMEOUT_MS = 1000

/** What the service said, in JSON. */
export type InvokeResponse = { status: number; said: object }

/** Calls another service by its app-id. `path` has no leading slash. Any whole answer of that service is an answer. */
export type Invoke = (
  appId: string,
  method: 'GET' | 'POST' | 'PUT',
  path: string,
  body?: unknown,
) => Promise<InvokeResponse>

/**
 * Service invocation through the sidecar. It repeats a call that did not get through, so whatever changes something
 * needs an id chosen by the caller.
 */
export function daprInvoke(sidecar: Sidecar, timeoutMs = INVOKE_TIMEOUT_MS): Invoke {
  return async (appId, method, path, body) => {
    const response = await sidecar
      .send({
        method,
        path: `/v1.0/invoke/${appId}/method/${path}`,
        ...(body !== undefined && {
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify(body),
        }),
        timeoutMs,
      })
      .catch(() => null)
    const said = response && whatTheServiceSaid(response)
    if (response === null || said === null) throw away(appId, method)
    return { status: response.status, said }
  }
}

/**
 * Services answer in JSON, and so does the sidecar when it fails, but with an `errorCode`. An app that dies while it
 * answers leaves less: half of its words under a status of success, or a 200 with nothing (docs/dapr-notes.md).
 */
function whatTheServiceSaid({ headers, body }: SidecarResponse): object | null {
  if (!/^application\/(problem\+)?json\b/.test(String(headers['content-type']))) return null
  try {
    const said: unknown = JSON.parse(body.toString())
    return typeof said === 'object' && said !== null && !Object.hasOwn(said, 'errorCode') ? said : null
  } catch {
    return null
  }
}

function away(appId: string, method: string): Refusal {
  if (method === 'GET') return new Refusal('unavailable', `${appId} does not answer`)
  return new Refusal('uncertain', `${appId} did not answer: repeat the request with the same Idempotency-Key`)
}
