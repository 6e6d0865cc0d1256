import { randomUUIDv7 } from 'node:crypto'
import type { Process } from '@tideshop/run/process'
import { SAGA } from '@tideshop/run/shop'
import { expect, test } from 'vitest'
import { readStores } from '../shared/stores.ts'
import { promiseFor } from './door.ts'
import { expectKept } from './kept.ts'
import { openShop } from './open-shop.ts'

const shop = await openShop({ only: SAGA, env: { APPROVAL_WORK_MS: '20' } })

const OPERATIONS = 2000
const CALLERS = 20
/** One in so many is on the deny list. */
const DENIED_EVERY = 20
const ALL_ENDED_WITHIN_MS = 90_000

test('kill -9 of each service and each sidecar in the middle of 2,000 operations: every one ends once', {
  timeout: 240_000,
}, async () => {
  const promised = new Map<string, string>()
  const victims = ['users', 'approvals', 'operations', 'apigateway'].flatMap((appId) => {
    const [replica] = shop.replicas(appId)
    return replica === undefined ? [] : [replica.app, replica.sidecar]
  })
  const posting = postAll(promised)
  await killEach(victims, () => promised.size)
  await posting

  expect(promised.size).toBe(OPERATIONS)
  await expectKept(shop, promised, ALL_ENDED_WITHIN_MS)
  const failed = (await readStores(shop)).operations.filter(({ body }) => body['status'] === 'failed')
  expect(failed).toHaveLength(OPERATIONS / DENIED_EVERY)
  expect(failed.every(({ body }) => body['name'] === 'mallory')).toBe(true)
})

/** Fills `promised` with the operation of each key, as 20 callers who do not give up. */
async function postAll(promised: Map<string, string>): Promise<void> {
  let next = 0
  const caller = async () => {
    while (next < OPERATIONS) {
      next += 1
      const name = next % DENIED_EVERY === 0 ? 'mallory' : `user-${next}`
      const key = randomUUIDv7()
      promised.set(key, await promiseFor(shop, name, key))
    }
  }
  await Promise.all(Array.from({ length: CALLERS }, caller))
}

/** Spreads the kills over the run, and brings each victim back at once, as Kubernetes would. */
async function killEach(victims: readonly Process[], posted: () => number): Promise<void> {
  for (const [index, victim] of victims.entries()) {
    const share = (OPERATIONS * (index + 1)) / (victims.length + 1)
    await expect.poll(posted, { timeout: 60_000, interval: 10 }).toBeGreaterThanOrEqual(share)
    await victim.kill()
    await victim.start()
  }
}
