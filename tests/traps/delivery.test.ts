import { expect, test } from 'vitest'
import { openKafkaGround, SOON, untilCommitted } from './ground.ts'
import { listen } from './listener.ts'

/*
 * What the sidecar does with an answer, and with what it cannot read. Each test is something to know about Dapr;
 * where the shop's own settings stand against it, they are the second half of the test.
 */

const ground = await openKafkaGround()

test.for(['single', 'bulk'])('a message that the app answers with 404 is lost (%s)', async (kind) => {
  const topic = await ground.topic()
  await ground.tell(topic, 'one', 'two')
  const app = await listen(ground, topic, { bulk: kind === 'bulk', answer: () => 404 })

  await untilCommitted(ground, topic, 2)
  expect(app.texts()).toEqual(['one', 'two'])
})

test.for(['single', 'bulk'])('any other status brings it again (%s)', async (kind) => {
  const topic = await ground.topic()
  await ground.tell(topic, 'one')
  const statuses = [500, 503, 400, 200]
  const app = await listen(ground, topic, {
    bulk: kind === 'bulk',
    answer: (_, nth) => statuses[nth - 1] ?? 200,
  })

  await untilCommitted(ground, topic, 1)
  expect(app.heard).toHaveLength(statuses.length)
})

// So an effect must be keyed by the id of its event: the neighbours were done already.
test('one entry that has to come again brings its whole batch again, those before it and those after it', async () => {
  const topic = await ground.topic()
  const all = ['a', 'b', 'c', 'd']
  await ground.tell(topic, ...all)
  let works = false
  const app = await listen(ground, topic, {
    bulk: true,
    answer: () => (works ? 200 : ['SUCCESS', 'SUCCESS', 'RETRY', 'SUCCESS']),
  })

  await expect.poll(() => app.heard.length, SOON).toBeGreaterThan(1)
  // In the broker those before it are done: a sidecar that takes over would begin with it.
  await untilCommitted(ground, topic, 2)
  works = true
  await untilCommitted(ground, topic, all.length)
  expect(app.heard.map(({ texts }) => texts)).toEqual(app.heard.map(() => all))
})

test('left to itself a bulk subscription takes 80 at a time, and waits long for what is missing', async () => {
  const topic = await ground.topic()
  await ground.tell(topic, ...Array.from({ length: 81 }, (_, index) => `m${index}`))
  const app = await listen(ground, topic, { bulk: 'by default' })

  await expect.poll(() => app.heard.length, SOON).toBe(1)
  expect(app.texts()).toHaveLength(80)
  // The wait is 10 s, of which a second is enough to see: with the shop's settings it would have come by now.
  await untilCommitted(ground, topic, 80)
  expect(app.heard).toHaveLength(1)
})

const good = '{"id":"good"}'

test('in bulk, what is not JSON is lost without a word when something readable follows it', async () => {
  const topic = await ground.topic()
  await ground.tell(topic, 'not JSON', good)
  const app = await listen(ground, topic, { bulk: true, rawPayload: false })

  await untilCommitted(ground, topic, 2)
  expect(app.texts()).toEqual([good])
})

test('in bulk, what is not JSON at the end of a batch brings all of it again, for ever', async () => {
  const topic = await ground.topic()
  await ground.tell(topic, good, 'not JSON')
  const app = await listen(ground, topic, { bulk: true, rawPayload: false })

  await expect.poll(() => app.heard.length, SOON).toBeGreaterThan(3)
  expect(app.texts()).toEqual(app.heard.map(() => good))
  expect(await ground.committed(topic)).toBeLessThan(2)
})

test('with rawPayload, as the shop has it, every record arrives as base64, whatever its bytes are', async () => {
  const topic = await ground.topic()
  await ground.tell(topic, 'not JSON', good)
  const app = await listen(ground, topic, { bulk: true, rawPayload: true })

  await untilCommitted(ground, topic, 2)
  expect(app.texts()).toEqual(['not JSON', good])
  expect(app.heard[0]?.body).toMatchObject({
    entries: [
      {
        entryId: '0',
        event: Buffer.from('not JSON').toString('base64'),
        contentType: 'application/octet-stream',
        metadata: { __topic: topic, __partition: '0', __offset: '0', __timestamp: expect.any(String) },
      },
      { entryId: '1', event: Buffer.from(good).toString('base64') },
    ],
  })
})

test('a dead letter topic without a retry policy takes what failed once', async () => {
  const [topic, dead] = await Promise.all([ground.topic(), ground.topic()])
  await ground.tell(topic, 'hiccup')
  const app = await listen(ground, topic, { deadLetterTopic: dead, answer: () => 503 })
  const quarantine = await listen(ground, dead)

  await untilCommitted(ground, topic, 1)
  expect(app.texts()).toEqual(['hiccup'])
  await expect.poll(() => quarantine.heard.length, SOON).toBe(1)
})

test('a record has a key only if its publisher sends partitionKey', async () => {
  const topic = await ground.topic()
  const app = await listen(ground, topic, { bulk: true })
  const publish = async (metadata: string) => {
    const path = `/v1.0/publish/${topic}/${topic}?metadata.rawPayload=true${metadata}`
    const url = `http://127.0.0.1:${app.ports.daprHttpPort}${path}`
    expect((await fetch(url, { method: 'POST', body: 'x' })).status).toBe(204)
  }
  await publish('')
  await publish('&metadata.partitionKey=k')

  await expect.poll(() => app.texts().length, SOON).toBe(2)
  const entries = app.heard.flatMap(({ body }) => (body as { entries: { metadata: object }[] }).entries)
  expect(entries[0]?.metadata).not.toHaveProperty('__key')
  expect(entries[1]?.metadata).toHaveProperty('__key', 'k')
})

test('left to itself the component begins with what comes next, and skips what waits', async () => {
  const topic = await ground.topic()
  await ground.tell(topic, 'waited')
  const app = await listen(ground, topic, { changes: { initialOffset: null } })

  // Told again and again, because nobody can see from outside when it has begun to listen.
  const hearsOf = async () => {
    await ground.tell(topic, 'next')
    return app.texts()
  }
  await expect.poll(hearsOf, { ...SOON, interval: 250 }).toContain('next')
  // Within a partition the order holds, so what waited would have come before it.
  expect(app.texts()).not.toContain('waited')
})

test('with initialOffset oldest, as the shop has it, it begins with what waits', async () => {
  const topic = await ground.topic()
  await ground.tell(topic, 'waited')
  const app = await listen(ground, topic)
  await expect.poll(() => app.texts(), SOON).toEqual(['waited'])
})

test.for([{ backOffMaxRetries: '2' }, { backOffMaxElapsedTime: '500ms' }, { consumeRetryEnabled: 'false' }])(
  'retries with an end lose the message there: %o',
  async (changes) => {
    const topic = await ground.topic()
    await ground.tell(topic, 'unlucky', 'after')
    const app = await listen(ground, topic, {
      changes,
      answer: ([value]) => (value === 'unlucky' ? 503 : 200),
    })

    // It is never acknowledged itself, but the one after it is, and that passes both.
    await untilCommitted(ground, topic, 2)
    expect(app.texts().at(-1)).toBe('after')
  },
)

test('retries without an end, as the shop has them, hold the message and all behind it until it is handled', async () => {
  const topic = await ground.topic()
  await ground.tell(topic, 'unlucky', 'after')
  let works = false
  const app = await listen(ground, topic, { answer: () => (works ? 200 : 503) })

  // More tries than any of the settings above would have made.
  await expect.poll(() => app.heard.length, SOON).toBeGreaterThan(4)
  expect(app.texts()).not.toContain('after')
  expect(await ground.committed(topic)).toBe(0)

  works = true
  await expect.poll(() => app.texts().slice(-2), SOON).toEqual(['unlucky', 'after'])
})

test('what was acknowledged in the last second before a kill of the sidecar comes again, and nothing is missing', async () => {
  const topic = await ground.topic()
  const app = await listen(ground, topic)
  const values = Array.from({ length: 50 }, (_, index) => `m${index}`)
  await ground.tell(topic, ...values)
  await expect.poll(() => app.texts(), SOON).toEqual(values)
  await app.sidecar.kill()

  const committed = await ground.committed(topic)
  await app.sidecar.start()
  await ground.tell(topic, 'end')
  // The broker waits for the killed one until its session is over: 3 s in the shop's component.
  await expect.poll(() => app.texts().at(-1), SOON).toBe('end')
  const again = app.texts().slice(values.length, -1)
  expect(again).toEqual(values.slice(committed))
})
