import type { Process } from '@tideshop/run/process'
import { expect, test } from 'vitest'
import { Turns } from './ground.ts'

const [kafka, users] = [{ name: 'kafka' }, { name: 'users' }] as Process[] as [Process, Process]

test('who comes while another is at work on the same process waits, also when that one failed', async () => {
  const turns = new Turns()
  const heard: string[] = []
  const first = Promise.withResolvers<void>()
  const stalled = turns.take([kafka], () => first.promise)
  const both = turns.take([users, kafka], async () => void heard.push('both'))
  const late = turns.take([users], async () => void heard.push('late'))
  await turns.take([{ name: 'approvals' } as Process], async () => void heard.push('another'))
  expect(heard).toEqual(['another'])
  first.reject(new Error('gone'))
  await expect(stalled).rejects.toThrow('gone')
  await Promise.all([both, late])
  expect(heard).toEqual(['another', 'both', 'late'])
})
