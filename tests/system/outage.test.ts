import { afterEach, expect, test } from 'vitest'
import { SAGA } from '../shared/saga.ts'
import { readStores } from '../shared/stores.ts'
import { ask, ended, post } from './door.ts'
import { openShop } from './open-shop.ts'

const shop = await openShop({ only: SAGA })
/** Milliseconds within which a caller has an answer of some kind. */
const ANSWER_WITHIN_MS = 2000
const BACK_WITHIN_MS = 60_000

afterEach(async () => {
  for (const process of shop.processes()) if (!process.running) await process.start()
  await expect
    .poll(async () => (await post(shop, { name: 'back' })).status, { timeout: BACK_WITHIN_MS })
    .toBe(202)
})

/** Kills, asks for a while, and returns what was promised and what was refused. */
async function during(name: 'kafka' | 'mongodb' | 'operations', requests: number) {
  const process = shop.processes().find((one) => one.name === name)
  await process?.kill()
  const answers = []
  for (let index = 0; index < requests; index += 1) answers.push(await post(shop, { name: `during-${name}` }))
  await process?.start()
  for (const { ms } of answers) expect(ms).toBeLessThan(ANSWER_WITHIN_MS)
  const refused = answers.filter(({ status }) => status === 503)
  for (const { headers, body } of refused) {
    expect(headers.get('retry-after')).toBe('1')
    expect(body).toMatchObject({ status: 503, detail: expect.any(String) })
  }
  const promised = answers.filter(({ status }) => status === 202)
  expect(promised.length + refused.length).toBe(requests)
  return { promised, refused }
}

test('while Kafka is away callers are refused within two seconds, and nothing of it is half-done', async () => {
  const { promised, refused } = await during('kafka', 12)
  expect(refused.length).toBeGreaterThan(0)
  expect(refused.every(({ body }) => body['title'] === 'unavailable')).toBe(true)

  for (const { body } of promised)
    expect((await ended(shop, String(body['uuid']), BACK_WITHIN_MS)).state).toBe('completed')
  const { operations } = await readStores(shop)
  const written = operations.filter(({ body }) => body['name'] === 'during-kafka')
  expect(written.map(({ _id }) => _id).sort()).toEqual(promised.map(({ body }) => body['uuid']).sort())
})

test('while the database is away callers are refused within two seconds, also those who ask', async () => {
  const before = await post(shop, { name: 'before' })
  await ended(shop, String(before.body['uuid']))
  const mongodb = shop.processes().find(({ name }) => name === 'mongodb')
  await mongodb?.kill()
  const asked = await ask(shop, `/operation/get/${before.body['uuid']}`)
  expect(asked).toMatchObject({ status: 503, body: { title: 'unavailable' } })
  expect(asked.ms).toBeLessThan(ANSWER_WITHIN_MS)
  await mongodb?.start()

  const { promised } = await during('mongodb', 6)
  expect(promised).toEqual([])
  await expect
    .poll(async () => (await ask(shop, `/operation/get/${before.body['uuid']}`)).status, {
      timeout: BACK_WITHIN_MS,
    })
    .toBe(200)
})

test('while a service is away callers are refused within two seconds', async () => {
  const { promised, refused } = await during('operations', 4)
  expect({ promised, refused: refused.length }).toEqual({ promised: [], refused: 4 })
})
