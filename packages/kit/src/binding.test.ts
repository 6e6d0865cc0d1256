import { expect, test } from 'vitest'
import { daprBindings } from './binding.ts'
import type { Sidecar } from './sidecar.ts'

function sidecarWith(answers: { status: number; body: string }[]): Sidecar & { asked: string[] } {
  const asked: string[] = []
  return {
    asked,
    async send({ path }) {
      asked.push(path)
      const { status, body } = answers[asked.length - 1] ?? { status: 500, body: '' }
      return { status, headers: {}, body: Buffer.from(body) }
    },
    ready: async () => {},
    close: async () => {},
  }
}

const metadata = JSON.stringify({ id: 'x', components: [{ name: 'queue.ask', type: 'bindings.rabbitmq' }] })

test('which bindings there are is asked once, and again only where there was no answer', async () => {
  const sidecar = sidecarWith([
    { status: 503, body: '' },
    { status: 200, body: metadata },
  ])
  const { has } = daprBindings(sidecar)
  await expect(has('queue.ask')).rejects.toThrow(/503/)
  expect([await has('queue.ask'), await has('queue')]).toEqual([true, false])
  expect(sidecar.asked).toEqual(['/v1.0/metadata', '/v1.0/metadata'])
})

test('a sidecar without components has no binding', async () => {
  expect(await daprBindings(sidecarWith([{ status: 200, body: '{"id":"x"}' }])).has('queue.ask')).toBe(false)
})
