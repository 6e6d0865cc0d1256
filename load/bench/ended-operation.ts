import { setTimeout as delay } from 'node:timers/promises'
import type { Shop } from '@tideshop/run/shop'
import { request } from 'undici'
import { BrokenRun } from './broken-run.ts'

const ENDED_WITHIN_MS = 30_000
const ASK_EVERY_MS = 50

/** One operation that went the whole way, for those who ask for it: its id and its user's. */
export type EndedOperation = { operationId: string; userId: string; name: string }

export async function makeEndedOperation(shop: Shop, stop: AbortSignal): Promise<EndedOperation> {
  const name = 'hans'
  const accepted = await request(`${shop.url}/operation/create/user-create`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ name }),
  })
  const { uuid: operationId } = (await accepted.body.json()) as { uuid: string }
  const deadline = performance.now() + ENDED_WITHIN_MS
  while (performance.now() < deadline) {
    const answer = await request(`${shop.url}/operation/get/${operationId}`)
    const { state, data } = (await answer.body.json()) as { state: string; data: { uuid?: string } }
    if (state === 'completed' && data.uuid !== undefined) return { operationId, userId: data.uuid, name }
    await delay(ASK_EVERY_MS, undefined, { signal: stop })
  }
  throw new BrokenRun(`operation ${operationId} did not end within ${ENDED_WITHIN_MS / 1000} s`)
}
