import { DOOR, MONGODB_DOOR_PORT } from '@tideshop/cluster/place'
import { type Collection, MongoClient } from 'mongodb'
import { afterAll, describe, expect, inject, test } from 'vitest'
import type { Stored } from '../shared/stores.ts'
import { post } from '../system/door.ts'
import { ReplicaWatch } from './replicas.ts'

/**
 * How fast a sleeping shop answers, over so many wakes. The figures belong into docs/scaling.md; what is demanded
 * here is only that each wake comes about, since a busy machine takes its time.
 */

const lacks = inject('lacks')

const WAKES = 10
const SLEEPERS = ['operations', 'users', 'approvals']
const REST_WITHIN_MS = 120_000
const ENDED_WITHIN_MS = 120_000
const LOOK_EVERY_MS = 20

/** Milliseconds. */
type Wake = {
  /** Posted to promised, with operations at zero. */
  request: number
  /** Promised, so that it lies in the topic, to stored by users, who were at zero. */
  users: number
  /** Stored by users to decided by approvals, which was at zero and works 200 ms for it, and ended by operations. */
  approvals: number
  /** Posted to ended. */
  all: number
}

describe.skipIf(lacks.length > 0)('a sleeping shop', () => {
  const wakes: Wake[] = []
  let watch: ReplicaWatch
  let client: MongoClient

  afterAll(async () => {
    watch?.[Symbol.dispose]()
    await client?.close()
    process.stdout.write(`\n${tableOf(wakes)}\n`)
  })

  test(`wakes ${WAKES} times for one caller, and serves it`, { timeout: WAKES * 120_000 }, async () => {
    watch = new ReplicaWatch()
    client = new MongoClient(`mongodb://127.0.0.1:${MONGODB_DOOR_PORT}`)
    for (let nth = 1; nth <= WAKES; nth += 1) {
      for (const service of SLEEPERS) await watch.until(service, '0/0', REST_WITHIN_MS)
      wakes.push(await wakeOnce(`sleeper ${nth}`))
    }
    expect(wakes).toHaveLength(WAKES)
  })

  async function wakeOnce(name: string): Promise<Wake> {
    const postedAt = performance.now()
    const { status, body } = await post({ url: DOOR }, { name })
    const promisedAt = performance.now()
    expect(status).toBe(202)
    const operationId = String(body['uuid'])
    await stored(client.db('users').collection('users'), { 'body.operationId': operationId })
    const storedAt = performance.now()
    await stored(client.db('operations').collection('operations'), {
      _id: operationId,
      'body.status': 'completed',
    })
    const endedAt = performance.now()
    return {
      request: promisedAt - postedAt,
      users: storedAt - promisedAt,
      approvals: endedAt - storedAt,
      all: endedAt - postedAt,
    }
  }
})

/** Looks into the store and not through the door: each question there is a call, and calls bring replicas. */
async function stored(collection: Collection<Stored>, sought: Record<string, string>): Promise<void> {
  const look = () => collection.countDocuments(sought, { limit: 1 })
  await expect.poll(look, { timeout: ENDED_WITHIN_MS, interval: LOOK_EVERY_MS }).toBe(1)
}

function tableOf(wakes: readonly Wake[]): string {
  const rows = (['request', 'users', 'approvals', 'all'] as const).map((name) => {
    const sorted = wakes.map((wake) => Math.round(wake[name])).toSorted((one, other) => one - other)
    const at = (share: number) => sorted[Math.ceil(sorted.length * share) - 1] ?? Number.NaN
    return `  ${name.padEnd(10)} p50 ${at(0.5)} ms · p95 ${at(0.95)} ms · most ${at(1)} ms`
  })
  return rows.join('\n')
}
