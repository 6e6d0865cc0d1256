import { randomUUIDv7 } from 'node:crypto'
import { topics } from '@tideshop/contracts/topics'
import { deadLetterTopic } from '@tideshop/kit/dead-letter'
import type { Process } from '@tideshop/run/process'
import { SAGA } from '@tideshop/run/shop'
import { expect, test } from 'vitest'
import { readStores } from '../shared/stores.ts'
import { readTopics } from '../shared/topics.ts'
import { ask, promiseFor } from './door.ts'
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
  await expect.poll(() => open(promised), { timeout: ALL_ENDED_WITHIN_MS, interval: 500 }).toEqual([])
  await everyoneEndedOnce(promised)
  await nothingIsDead()
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

async function open(promised: ReadonlyMap<string, string>): Promise<string[]> {
  const { operations } = await readStores(shop)
  const pending = new Set(operations.filter(({ body }) => body['status'] === 'pending').map(({ _id }) => _id))
  return [...promised.values()].filter((uuid) => pending.has(uuid))
}

async function everyoneEndedOnce(promised: ReadonlyMap<string, string>): Promise<void> {
  const { operations, users } = await readStores(shop)
  // None lost, none that nobody was promised, and one operation per key.
  expect(new Set(operations.map(({ _id }) => _id))).toEqual(new Set(promised.values()))
  expect(new Set(promised.values()).size).toBe(OPERATIONS)
  // One user per operation: none doubled.
  expect(users).toHaveLength(OPERATIONS)
  expect(new Set(users.map(({ body }) => body['operationId']))).toEqual(new Set(promised.values()))
  // Each aggregate made exactly its two steps, and nothing waits to be told.
  expect([...operations, ...users].every(({ version }) => version === 2)).toBe(true)
  expect(operations.filter(({ outbox }) => outbox !== undefined && outbox.length > 0)).toEqual([])
  const failed = operations.filter(({ body }) => body['status'] === 'failed')
  expect(failed).toHaveLength(OPERATIONS / DENIED_EVERY)
  expect(failed.every(({ body }) => body['name'] === 'mallory')).toBe(true)

  const [some] = promised.values()
  expect((await ask(shop, `/operation/get/${some}`)).status).toBe(200)
}

async function nothingIsDead(): Promise<void> {
  const dead = await readTopics(
    shop,
    topics.map(({ name }) => deadLetterTopic(name)),
  )
  expect(dead).toEqual([])
}
