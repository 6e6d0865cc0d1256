import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { root } from '@tideshop/run/arguments'
import { withMetadata } from '@tideshop/run/render'
import { expect, test } from 'vitest'
import { parse, stringify } from 'yaml'
import { openGround, SOON, serve } from './ground.ts'

/*
 * What a clock in the sidecar promises to who works by it: the file of components/jobs-expire.yaml, faster.
 */

const EVERY = '@every 1s'
/** Milliseconds; strikes are a second apart. */
const SAME_STRIKE_MS = 500

type Strike = { method: string; url: string; at: number }

const ground = await openGround()

/** An app and its sidecar, which calls it each second. `answer` may take its time. */
async function open(appId: string, answer: (nth: number) => Promise<number>): Promise<Strike[]> {
  const strikes: Strike[] = []
  const ports = await ground.ports()
  await serve(ports.appPort, async (request, response) => {
    if (request.url === '/dapr/config') {
      response.writeHead(404).end()
      return
    }
    strikes.push({
      method: request.method ?? '',
      url: request.url ?? '',
      at: performance.now(),
    })
    response.writeHead(await answer(strikes.length), { 'content-type': 'application/json' }).end('{}')
  })
  const shops = readFileSync(path.join(root, 'components/jobs-expire.yaml'), 'utf8')
  const component = stringify({ ...parse(withMetadata(shops, { schedule: EVERY })), scopes: [appId] })
  await ground.startSidecar({ appId, ports, components: [component] })
  return strikes
}

test('each strike is a POST to the route of the component, and nothing is asked before', async () => {
  const strikes = await open(`clock-${randomUUID()}`, async () => 200)
  await expect.poll(() => strikes.length, SOON).toBeGreaterThanOrEqual(3)
  expect(new Set(strikes.map(({ method, url }) => `${method} ${url}`))).toEqual(
    new Set(['POST /jobs/expire']),
  )
})

test.each([404, 500, 503])(
  'an app that answers %i is called again at the next strike, and not before',
  async (status) => {
    const strikes = await open(`clock-${randomUUID()}`, async () => status)
    await expect.poll(() => strikes.length, SOON).toBeGreaterThanOrEqual(4)
    const gaps = strikes.slice(1).map(({ at }, nth) => at - (strikes[nth]?.at ?? 0))
    expect(Math.min(...gaps)).toBeGreaterThan(SAME_STRIKE_MS)
  },
)

test('the clock does not wait for who is still at work', async () => {
  const done = Promise.withResolvers<number>()
  const strikes = await open(`clock-${randomUUID()}`, () => done.promise)
  await expect.poll(() => strikes.length, SOON).toBeGreaterThanOrEqual(3)
  done.resolve(200)
})
