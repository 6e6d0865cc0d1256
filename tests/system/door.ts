import { randomUUIDv7 } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { operationView } from '@tideshop/contracts/operations'
import { expect } from 'vitest'

/** Milliseconds within which an operation ends on a busy machine. */
const END_WITHIN_MS = 30_000
const TRIES_MAX = 300
const TRY_EVERY_MS = 100

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

/** The operation of a caller who does not give up: with one key, until the door promises. Throws when it says no. */
export async function promiseFor(shop: Door, name: string, key: string = randomUUIDv7()): Promise<string> {
  for (let tried = 0; tried < TRIES_MAX; tried += 1) {
    const answer = await post(shop, { name }, { 'idempotency-key': key }).catch(() => null)
    if (answer?.status === 202) return String(answer.body['uuid'])
    if (answer !== null && answer.status < 500) throw new Error(`refused: ${JSON.stringify(answer.body)}`)
    await delay(TRY_EVERY_MS)
  }
  throw new Error(`no promise for ${name} in ${TRIES_MAX} tries`)
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
