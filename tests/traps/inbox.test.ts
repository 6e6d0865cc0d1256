import { randomUUIDv7 } from 'node:crypto'
import { userCreate } from '@tideshop/contracts/operations'
import { httpApp } from '@tideshop/kit/http'
import { on, subscribe } from '@tideshop/kit/inbox'
import { memoryBus } from '@tideshop/kit/memory'
import { Refusal } from '@tideshop/kit/refusal'
import { quietParts } from '@tideshop/kit/test/parts'
import { expect, test } from 'vitest'
import { openKafkaGround, SOON, serve, untilCommitted } from './ground.ts'

/*
 * Our inbox behind a real sidecar: what it makes of the traps in delivery.test.ts.
 */

const ground = await openKafkaGround()

test('our inbox never answers 404: before it is ready it asks for all again, and rubbish takes nothing with it', async () => {
  const topic = await ground.topic()
  const ids = { operationId: randomUUIDv7(), userId: randomUUIDv7() }
  const data = { ...ids, name: 'hans' }
  const time = '2026-11-21T12:00:00Z'
  const { event } = userCreate.tell({ subject: data.userId, version: 1, time, data })
  await ground.tell(topic, 'not JSON', JSON.stringify(event), '')

  let isReady = false
  const handled: string[] = []
  const bus = memoryBus()
  const ready = async () => {
    throw new Refusal('unavailable', 'the database is away')
  }
  const parts = { ...quietParts('listener', bus), ready }
  const app = httpApp(parts, (routes) => {
    const heard = on({ ...userCreate, topic }, async (events) => {
      if (!isReady) await ready()
      handled.push(...events.map(({ id }) => id))
      return events.map(() => ({ outcome: 'done', tell: [] }))
    })
    subscribe(routes, parts, [heard])
  })

  const ports = await ground.ports()
  const statuses: number[] = []
  await serve(ports.appPort, (request, response) => {
    if (request.url?.startsWith('/events/')) response.once('finish', () => statuses.push(response.statusCode))
    app(request, response)
  })
  await ground.startSidecar({ appId: topic, ports, components: [ground.component(topic)] })

  await expect.poll(() => statuses.length, SOON).toBeGreaterThan(3)
  expect(handled).toEqual([])
  isReady = true
  await untilCommitted(ground, topic, 3)
  expect(handled).toEqual([event.id])
  expect(new Set(statuses)).toEqual(new Set([200]))
  // The rubbish was put aside at each try, by the same name, so that it counts once.
  const letters = new Map(bus.told.map((told) => [told.event.id, told.topic]))
  expect([...letters.values()]).toEqual([`${topic}.dead`, `${topic}.dead`])
})

test.for(['', 'not JSON', '{}', '[]'])(
  'a delivery that no sidecar would send is not answered with 404: "%s"',
  async (body) => {
    const parts = quietParts('listener')
    const app = httpApp(parts, (routes) => subscribe(routes, parts, [on(userCreate, async () => [])]))
    const { appPort } = await ground.ports()
    await serve(appPort, app)
    const response = await fetch(`http://127.0.0.1:${appPort}/events/${userCreate.topic}`, {
      method: 'POST',
      body,
    })
    await response.text()
    expect(response.status).toBeGreaterThanOrEqual(400)
    expect(response.status).not.toBe(404)
  },
)
