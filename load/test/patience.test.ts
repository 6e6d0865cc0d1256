import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Client } from 'undici'
import { expect, test } from 'vitest'
import { askPatiently } from '../src/patience.ts'

/** Answers with each status in turn; 0 hangs up. The last goes on for ever. */
async function moody(statuses: number[]) {
  let asked = 0
  const server = createServer((request, response) => {
    const status = statuses[Math.min(asked, statuses.length - 1)] ?? 0
    asked += 1
    if (status === 0) request.socket.destroy()
    else response.writeHead(status).end(`answer ${asked}`)
  })
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  const client = new Client(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
  let repeats = 0
  const ask = (patienceMs: number, stop = new AbortController().signal) =>
    askPatiently(client, { method: 'GET', path: '/' }, { patienceMs, repeated: () => (repeats += 1), stop })
  return {
    ask,
    repeats: () => repeats,
    async [Symbol.asyncDispose]() {
      await client.destroy()
      server.closeAllConnections()
      server.close()
    },
  }
}

test('who is told to ask again, or is hung up on, asks again', async () => {
  await using shop = await moody([503, 0, 200])
  expect(await shop.ask(10_000)).toMatchObject({ status: 200, body: 'answer 3' })
  expect(shop.repeats()).toBe(2)
})

test('without patience the first answer is the last', async () => {
  await using shop = await moody([503, 200])
  expect(await shop.ask(0)).toMatchObject({ status: 503 })
  expect(shop.repeats()).toBe(0)
})

test('patience ends, with the answer that was given last', async () => {
  await using shop = await moody([503])
  expect(await shop.ask(1500)).toMatchObject({ status: 503, body: 'answer 2' })
})

test('a refusal that is no "not now" is not asked again', async () => {
  await using shop = await moody([422, 200])
  expect(await shop.ask(10_000)).toMatchObject({ status: 422 })
})

test('whoever is stopped asks no more', async () => {
  await using shop = await moody([503])
  const stop = AbortSignal.timeout(200)
  await expect(shop.ask(10_000, stop)).rejects.toThrow()
  expect(shop.repeats()).toBe(1)
})
