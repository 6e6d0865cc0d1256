import { expect, test } from 'vitest'
import type { KubeApi } from './api.ts'
import { ProcessorTime, podSeconds, serviceOf } from './processor-time.ts'

const line = (pod: string, seconds: number, namespace = 'tideshop') =>
  `pod_cpu_usage_seconds_total{namespace="${namespace}",pod="${pod}"} ${seconds} 1700000000000`

test('a kubelet tells the processor time of each pod', () => {
  const text = [
    '# HELP pod_cpu_usage_seconds_total',
    line('users-1-a', 1.5),
    line('keda-1-a', 9, 'keda'),
  ].join('\n')
  expect([...podSeconds(text, 'tideshop')]).toEqual([['users-1-a', 1.5]])
})

test('a pod belongs to the service of its name', () => {
  expect(serviceOf('order-mails-5d9c7b8f6-x2x4z')).toBe('order-mails')
})

test('what was used before the first look does not count, and what a pod used that is gone does', async () => {
  const texts = [
    [line('users-1-a', 10)],
    [line('users-1-a', 12), line('users-1-b', 3)],
    [line('users-1-a', 13)],
  ]
  const api = {
    get: async () => ({ items: [{ metadata: { name: 'node-0' } }] }),
    text: async () => texts.shift()?.join('\n') ?? '',
  }
  const time = new ProcessorTime(api as unknown as KubeApi, 'tideshop')
  expect(time.perService()).toBeNull()
  for (let looks = 0; looks < 3; looks += 1) await time.look()
  expect(time.perService()).toEqual({ users: 6 })
  time.restart()
  expect(time.perService()).toEqual({ users: 0 })
})
