import { randomUUIDv7 } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { SAGA } from '@tideshop/run/shop'
import { expect, test } from 'vitest'
import { post } from './door.ts'
import { expectKept } from './kept.ts'
import { openShop } from './open-shop.ts'
import { openBrokers } from './three-brokers.ts'

const brokers = await openBrokers()
process.env['KAFKA_BROKERS'] = brokers.addresses
/** As on a cluster. */
const WAKE_WAIT_MS = '10000'
const shop = await openShop({ only: SAGA, env: { WAKE_WAIT_MS } })

const CALLERS = 4
/** Milliseconds. */
const CALL_EVERY_MS = 200
/** Promises that show that callers are served: before, after, and by the two that are left. */
const SERVED = 25
const GIVE_UP_MS = 60_000
const ALL_ENDED_WITHIN_MS = 60_000
const TEST_MS = 300_000

/** Of all tests of this file: what their callers were promised, by key. */
const promised = new Map<string, string>()

type Met = { promises: number; repeats: { why: string; atMs: number }[]; longestMs: number }

test('three brokers leave and come back one after the other, and callers do not notice', {
  timeout: TEST_MS,
}, async () => {
  const met = await during('each leaves', async () => {
    for (const broker of brokers.processes.toReversed()) {
      await broker.stop()
      await broker.start()
    }
  })
  expect(met.repeats).toEqual([])
  await expectKept(shop, promised, ALL_ENDED_WITHIN_MS)
})

test('one of three brokers is killed, and nothing is lost or doubled', { timeout: TEST_MS }, async () => {
  for (const broker of brokers.processes) {
    await during(`${broker.name} killed`, async (served) => {
      await broker.kill()
      await served()
      await broker.start()
    })
  }
  await expectKept(shop, promised, ALL_ENDED_WITHIN_MS)
})

/** Callers ask all the time, and each again when it is told to. */
async function during(what: string, incident: (served: () => Promise<void>) => Promise<void>): Promise<Met> {
  const met: Met = { promises: 0, repeats: [], longestMs: 0 }
  const over = new AbortController()
  const calling = Promise.all(Array.from({ length: CALLERS }, () => call(met, over.signal)))
  const began = performance.now()
  const served = () => {
    const enough = met.promises + SERVED
    return expect.poll(() => met.promises, { timeout: GIVE_UP_MS }).toBeGreaterThanOrEqual(enough)
  }
  try {
    await served()
    await incident(served)
    await served()
  } finally {
    over.abort()
    await calling
  }
  const [took, longest] = [performance.now() - began, met.longestMs].map((ms) => (ms / 1000).toFixed(1))
  console.log(
    `${what}: ${met.promises} promises in ${took} s, ${met.repeats.length} asked to repeat, longest ${longest} s`,
  )
  for (const why of new Set(met.repeats.map(({ why }) => why))) {
    const at = met.repeats
      .filter((one) => one.why === why)
      .map(({ atMs }) => ((atMs - began) / 1000).toFixed(1))
    console.log(`  ${why}: ${at.join(' ')}`)
  }
  return met
}

async function call(met: Met, over: AbortSignal): Promise<void> {
  while (!over.aborted) {
    const began = performance.now()
    const key = randomUUIDv7()
    for (let answer = await ask(key); ; answer = await ask(key)) {
      if (answer.uuid !== null) {
        promised.set(key, answer.uuid)
        break
      }
      met.repeats.push({ why: answer.why, atMs: performance.now() })
      if (performance.now() - began > GIVE_UP_MS) throw new Error(`no promise: ${answer.why}`)
      await delay(CALL_EVERY_MS)
    }
    met.promises += 1
    met.longestMs = Math.max(met.longestMs, performance.now() - began)
    await delay(CALL_EVERY_MS)
  }
}

async function ask(key: string): Promise<{ uuid: string; why: '' } | { uuid: null; why: string }> {
  const answer = await post(shop, { name: 'anna' }, { 'idempotency-key': key })
  if (answer.status === 202) return { uuid: String(answer.body['uuid']), why: '' }
  return { uuid: null, why: `${answer.status} ${JSON.stringify(answer.body)}` }
}
