import { operationView } from '@tideshop/contracts/operations'
import { expect } from 'vitest'

/** Milliseconds within which an operation ends on a busy machine. */
const END_WITHIN_MS = 30_000

/** Of a shop, or of whatever has its door. */
export type Door = { url: string }

export type Answer = { status: number; headers: Headers; body: Record<string, unknown>; ms: number }

/** One exchange with the front door; `ms` is how long the caller waited. */
export async function ask(shop: Door, path: string, init: RequestInit = {}): Promise<Answer> {
  const began = performance.now()
  const response = await fetch(shop.url + path, { ...init, signal: AbortSignal.timeout(15_000) })
  const text = await response.text()
  const body = response.headers.get('content-type')?.includes('json') ? JSON.parse(text) : { text }
  return { status: response.status, headers: response.headers, body, ms: performance.now() - began }
}

export function post(shop: Door, body: unknown, headers: Record<string, string> = {}): Promise<Answer> {
  const text = typeof body === 'string' ? body : JSON.stringify(body)
  const init = { method: 'POST', headers: { 'content-type': 'application/json', ...headers }, body: text }
  return ask(shop, '/operation/create/user-create', init)
}

/** Resolves with the operation when it has ended. A door that is not open yet says nothing about it. */
export async function ended(shop: Door, uuid: string, withinMs = END_WITHIN_MS) {
  let seen: Answer['body'] = {}
  const look = async () => {
    seen = (await ask(shop, `/operation/get/${uuid}`)).body
    return seen['state']
  }
  await expect
    .poll(look, { timeout: withinMs, interval: 50 })
    .toEqual(expect.stringMatching(/^(completed|failed)$/))
  return operationView.parse(seen)
}
