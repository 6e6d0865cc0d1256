import { readFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { fakeShop } from './fake-shop.ts'
import { load } from './load-tool.ts'

/** A runner needs about two seconds to load newman, and other tests share the cores. */
const RUN_MS_MAX = 60_000

const collection = `${import.meta.dirname}/../postman/saga.postman_collection.json`

type Item = { name: string; item?: Item[]; event?: { listen: string }[]; request?: { url: { raw: string } } }

const requests = (JSON.parse(await readFile(collection, 'utf8')).item as Item[]).flatMap(
  ({ item }) => item ?? [],
)

test('every request goes to the chosen shop, asserts something and has a name of its own', () => {
  for (const { name, request, event } of requests) {
    expect(request?.url.raw, name).toMatch(/^\{\{baseUrl\}\}\//)
    expect(
      event?.map(({ listen }) => listen),
      name,
    ).toContain('test')
  }
  // setNextRequest goes by name.
  expect(new Set(requests.map(({ name }) => name)).size).toBe(requests.length)
})

test.each(['saga', 'shop'])('no name or key of %s is drawn by $random…', async (name) => {
  const file = `${import.meta.dirname}/../postman/${name}.postman_collection.json`
  // Those are seeded with the millisecond of the start: runners that start together draw the same ones.
  expect(await readFile(file, 'utf8')).not.toContain('{{$random')
})

test('a shop that keeps its promises passes, by several runners', { timeout: RUN_MS_MAX }, async () => {
  await using shop = await fakeShop()
  const { code, said } = await load(
    ...['postman', 'saga', '--runners', '2', '--iterations', '2', '--base-url', shop.baseUrl],
  )
  expect(said).toContain('failures  0')
  expect(code).toBe(0)
  const counted = Number(/requests {2}(\d+)/.exec(said)?.[1])
  expect(counted).toBeGreaterThanOrEqual(4 * requests.length)
  expect(said).toMatch(/latency {3}p50 [\d.]+ ms · p95 [\d.]+ ms · p99 [\d.]+ ms/)
})

test('an unknown id that is answered with 200 is found, by request and assertion', {
  timeout: RUN_MS_MAX,
}, async () => {
  await using shop = await fakeShop('answers 200 for an unknown id')
  const { code, said } = await load(
    ...['postman', 'saga', '--runners', '2', '--iterations', '1', '--base-url', shop.baseUrl],
  )
  expect(code).toBe(1)
  expect(said).toMatch(
    /2 × \[an unknown id\] is not found: expected response to have status code 404 but got 200/,
  )
})

test('a denied name that completes is found', { timeout: RUN_MS_MAX }, async () => {
  await using shop = await fakeShop('completes who is denied')
  const { code, said } = await load(
    ...['postman', 'saga', '--runners', '1', '--iterations', '1', '--base-url', shop.baseUrl],
  )
  expect(code).toBe(1)
  expect(said).toContain('[read until it was denied] failed with a reason')
})
