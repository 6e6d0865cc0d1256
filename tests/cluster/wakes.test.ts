import { DOOR, MONGODB_DOOR_PORT } from '@tideshop/cluster/place'
import { userName } from '@tideshop/contracts/operations'
import { MongoClient } from 'mongodb'
import { afterAll, describe, expect, inject, test } from 'vitest'
import { ended, post } from '../system/door.ts'
import { ReplicaWatch } from './replicas.ts'

/**
 * How fast a sleeping shop answers, over so many wakes. The figures belong into docs/scaling.md; what is demanded
 * here is only that each wake comes about, since a busy machine takes its time.
 */

const lacks = inject('lacks')

const WAKES = 10
const SLEEPERS = ['operations', 'users', 'approvals']
const REST_WITHIN_MS = 120_000
const ENDED_WITHIN_MS = 60_000

/** Milliseconds. */
type Wake = {
  /** Posted to promised, with operations at zero. */
  request: number
  /** Promised, so that it lies in the topic, to stored by users, who were at zero. */
  users: number
  /** Stored by users to decided by approvals, which was at zero, and told to operations. */
  approvals: number
  /** Posted to completed. */
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
      wakes.push(await wakeOnce(userName.parse(`sleeper ${nth}`)))
    }
    expect(wakes).toHaveLength(WAKES)
  })

  async function wakeOnce(name: string): Promise<Wake> {
    const postedAt = Date.now()
    const { status, body } = await post({ url: DOOR }, { name })
    const promisedAt = Date.now()
    expect(status).toBe(202)
    const { data } = await ended({ url: DOOR }, String(body['uuid']), ENDED_WITHIN_MS)
    const endedAt = Date.now()
    // Written by users, on this machine's own clock, when it handled the event.
    const storedAt = Date.parse(String(data.createdAt))
    return {
      request: promisedAt - postedAt,
      users: storedAt - promisedAt,
      approvals: endedAt - storedAt,
      all: endedAt - postedAt,
    }
  }
})

function tableOf(wakes: readonly Wake[]): string {
  const rows = (['request', 'users', 'approvals', 'all'] as const).map((name) => {
    const sorted = wakes.map((wake) => wake[name]).toSorted((one, other) => one - other)
    const at = (share: number) => sorted[Math.ceil(sorted.length * share) - 1] ?? Number.NaN
    return `  ${name.padEnd(10)} p50 ${at(0.5)} ms · p95 ${at(0.95)} ms · most ${at(1)} ms`
  })
  return rows.join('\n')
}
