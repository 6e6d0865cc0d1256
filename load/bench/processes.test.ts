import { expect, test } from 'vitest'
import { groupOf, readUsage, residentKbIn, sumOf, ticksIn } from './processes.ts'

test('processor time is user and kernel time, whatever the program calls itself', () => {
  const fields = 'S 1 1 1 0 -1 4194304 900 0 3 0 250 50 7 8 20 0 12 0 99 0 0'
  expect(ticksIn(`123 (node) ${fields}`)).toBe(300)
  expect(ticksIn(`123 (odd) name (x)) ${fields}`)).toBe(300)
})

test('memory is what is resident', () => {
  expect(residentKbIn('Name:\tnode\nVmPeak:\t 99 kB\nVmRSS:\t  1234 kB\nVmData:\t 5 kB\n')).toBe(1234)
  expect(residentKbIn('Name:\tnode\nState:\tZ (zombie)\n')).toBe(0)
})

test('each process belongs to a group by the name that the runner gives it', () => {
  expect(['users', 'users-2', 'users-2/daprd', 'kafka', 'mongodb'].map(groupOf)).toEqual([
    'app',
    'app',
    'sidecar',
    'broker',
    'database',
  ])
})

test('a process that lives has cost something, one that is gone is told', () => {
  const self = { name: 'the load', pid: process.pid, group: 'load' as const }
  expect(sumOf(readUsage([self]).cpuSeconds)).toBeGreaterThan(0)
  expect(() => readUsage([{ name: 'users', pid: 2 ** 22 + 1, group: 'app' }])).toThrow('users (pid')
})
