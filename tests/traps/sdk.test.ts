import { DaprClient, DaprServer } from '@dapr/dapr'
import { daprBus } from '@tideshop/kit/bus'
import type { Event } from '@tideshop/kit/event'
import { type Sidecar, sidecarOn } from '@tideshop/kit/sidecar'
import { quietParts } from '@tideshop/kit/test/parts'
import { expect, onTestFinished, test } from 'vitest'
import { openKafkaGround, SOON, untilCommitted } from './ground.ts'
import { listen } from './listener.ts'

/*
 * Why the hot path does not use the SDK (docs/decisions/0003), seen on its version 3.18, and what kit/bus does instead.
 */

const ground = await openKafkaGround()

const host = '127.0.0.1'
/** It tells its failures to the console as well. */
const silence = () => undefined
const service = { error: silence, warn: silence, info: silence, verbose: silence, debug: silence }
const logger = { service }

/** Above what a record may have, so that the broker's client refuses it. */
const TOO_LARGE = 'x'.repeat(1_200_000)

function cloudEvent(id: string, data: unknown): Event {
  return {
    specversion: '1.0',
    id,
    source: 'trap',
    type: 'trap.v1',
    subject: id,
    time: '2026-11-21T12:00:00Z',
    data,
  }
}

/** An app made of the SDK that hears one topic. */
async function sdkListener(topic: string, handler: (data: unknown) => Promise<unknown>): Promise<void> {
  const ports = await ground.ports()
  const server = new DaprServer({
    serverHost: host,
    serverPort: String(ports.appPort),
    clientOptions: { daprHost: host, daprPort: String(ports.daprHttpPort) },
    logger,
  })
  onTestFinished(() => server.stop())
  await server.pubsub.subscribe(topic, topic, handler)
  const components = [ground.component(topic)]
  await Promise.all([server.start(), ground.startSidecar({ appId: topic, ports, components })])
}

/** Both ways to publish through one sidecar: the SDK's client, and the client below our bus. */
async function clients(topic: string): Promise<{ sdk: DaprClient; sidecar: Sidecar }> {
  const { daprHttpPort } = (await listen(ground, topic)).ports
  const sdk = new DaprClient({ daprHost: host, daprPort: String(daprHttpPort), logger })
  const sidecar = sidecarOn(daprHttpPort)
  onTestFinished(async () => {
    await Promise.all([sdk.stop(), sidecar.close()])
  })
  return { sdk, sidecar }
}

function busOn(sidecar: Sidecar) {
  const { log, metrics } = quietParts('trap')
  return daprBus(sidecar, log, metrics)
}

test('a handler that throws has acknowledged its message', async () => {
  const topic = await ground.topic()
  await ground.tell(topic, JSON.stringify(cloudEvent('a', { n: 1 })))
  const heard: unknown[] = []
  await sdkListener(topic, async (data) => {
    heard.push(data)
    throw new Error('the database is away')
  })

  await untilCommitted(ground, topic, 1)
  expect(heard).toEqual([{ n: 1 }])
})

test('where the data is 0, "" or false the handler gets the whole envelope', async () => {
  const topic = await ground.topic()
  const falsy = [0, '', false]
  await ground.tell(topic, ...falsy.map((data, index) => JSON.stringify(cloudEvent(String(index), data))))
  const heard: unknown[] = []
  await sdkListener(topic, async (data) => {
    heard.push(data)
  })

  await expect.poll(() => heard.length, SOON).toBe(falsy.length)
  expect(heard).toEqual(falsy.map((data, index) => expect.objectContaining({ id: String(index), data })))
})

test('publish() that failed does not throw; our bus names what did not arrive', async () => {
  const topic = await ground.topic()
  const { sdk, sidecar } = await clients(topic)

  const answer = await sdk.pubsub.publish('no-such-component', topic, { n: 1 })
  expect(answer.error).toBeInstanceOf(Error)

  const outgoing = { topic: 'no-such-component', event: cloudEvent('a', { n: 1 }) }
  expect(await busOn(sidecar).publish([outgoing])).toEqual(new Set([outgoing]))
})

test('publishBulk() shows a partial failure as success; our bus names what did not arrive', async () => {
  const topic = await ground.topic()
  const { sdk, sidecar } = await clients(topic)

  const answer = await sdk.pubsub.publishBulk(topic, topic, [TOO_LARGE, 'small'])
  expect(answer.failedMessages).toEqual([])

  const [large, small] = [TOO_LARGE, 'small'].map((text, index) => ({
    topic,
    event: cloudEvent(`${index}`, text),
  }))
  if (large === undefined || small === undefined) throw new Error('unreachable')
  expect(await busOn(sidecar).publish([large, small])).toEqual(new Set([large]))
  // The small one of each: so it was a partial failure, and not a whole one.
  await untilCommitted(ground, topic, 2)
})
