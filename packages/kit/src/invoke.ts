import { Refusal } from './refusal.ts'
import type { Sidecar, SidecarResponse } from './sidecar.ts'

/** Milliseconds that a caller at the door waits for another service: an answer of any kind within two seconds. */
const INVOKE_TIMEOUT_MS = 1800

export type InvokeResponse = SidecarResponse

/** Calls another service by its app-id. `path` has no leading slash. Any answer of that service is an answer. */
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
    if (response === null || saysTheSidecar(response)) throw away(appId, method)
    return response
  }
}

/** The sidecar's own errors are JSON with an `errorCode`; the services answer with problem details. */
function saysTheSidecar({ status, headers, body }: SidecarResponse): boolean {
  if (status < 400 || !String(headers['content-type']).startsWith('application/json')) return false
  return body.includes('"errorCode"')
}

function away(appId: string, method: string): Refusal {
  if (method === 'GET') return new Refusal('unavailable', `${appId} does not answer`)
  return new Refusal('uncertain', `${appId} did not answer: repeat the request with the same Idempotency-Key`)
}
