import { Refusal } from './refusal.ts'
import type { Sidecar, SidecarResponse } from './sidecar.ts'

/** Milliseconds that a caller at the door waits for another service: an answer of any kind within two seconds. */
const INVOKE_TIMEOUT_MS = 1800

export type InvokeResponse = SidecarResponse

/** Calls another service by its app-id. `path` has no leading slash. Any whole answer of that service is an answer. */
export type Invoke = (
  appId: string,
  method: 'GET' | 'POST',
  path: string,
  request: { headers: Record<string, string>; body?: unknown },
) => Promise<InvokeResponse>

/**
 * Service invocation through the sidecar. It repeats a call that did not get through, so whatever changes something
 * needs an id chosen by the caller.
 */
export function daprInvoke(sidecar: Sidecar): Invoke {
  return async (appId, method, path, { headers, body }) => {
    const response = await sidecar
      .send({
        method,
        path: `/v1.0/invoke/${appId}/method/${path}`,
        headers: body === undefined ? headers : { ...headers, 'content-type': 'application/json' },
        ...(body !== undefined && { body: JSON.stringify(body) }),
        timeoutMs: INVOKE_TIMEOUT_MS,
      })
      .catch(() => null)
    if (response === null || !saysTheService(response)) throw away(appId, method)
    return response
  }
}

/**
 * Services answer in JSON, and so does the sidecar when it fails, but with an `errorCode`. An app that dies while it
 * answers leaves less: half of its words under a status of success, or a 200 with nothing (docs/dapr-notes.md).
 */
function saysTheService({ headers, body }: SidecarResponse): boolean {
  if (!/^application\/(problem\+)?json\b/.test(String(headers['content-type']))) return false
  try {
    const said: unknown = JSON.parse(body.toString())
    return typeof said === 'object' && said !== null && !Object.hasOwn(said, 'errorCode')
  } catch {
    return false
  }
}

function away(appId: string, method: string): Refusal {
  if (method === 'GET') return new Refusal('unavailable', `${appId} does not answer`)
  return new Refusal('uncertain', `${appId} did not answer: repeat the request with the same Idempotency-Key`)
}
