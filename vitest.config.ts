import { availableParallelism } from 'node:os'
import { defineConfig } from 'vitest/config'
import { closingLine } from './tests/closing-line.ts'

/** One file at a time, after all others: a system test owns Kafka, the database and eight processes on two cores. */
const alone = { fileParallelism: false, pool: 'forks' as const, sequence: { groupOrder: 1 } }

export default defineConfig({
  test: {
    reporters: ['default', closingLine()],
    // By itself vitest leaves one core idle, which on two cores is half of them.
    maxWorkers: availableParallelism(),
    projects: [
      {
        test: {
          name: 'unit',
          include: [
            '{contracts,load}/src/**/*.test.ts',
            'load/bench/**/*.test.ts',
            '{packages,services,tools}/*/src/**/*.test.ts',
            'tests/{chaos,manifests}/**/*.test.ts',
          ],
        },
      },
      { test: { name: 'service', include: ['{packages,services}/*/test/**/*.test.ts'] } },
      { test: { name: 'tools', include: ['tools/*/test/**/*.test.ts', 'load/test/**/*.test.ts'] } },
      { test: { name: 'simulation', include: ['tests/simulation/**/*.test.ts'] } },
      {
        test: {
          name: 'system',
          include: ['tests/system/**/*.test.ts'],
          testTimeout: 120_000,
          hookTimeout: 1_500_000,
          ...alone,
        },
      },
      {
        test: {
          name: 'traps',
          include: ['tests/traps/**/*.test.ts'],
          testTimeout: 15_000,
          hookTimeout: 1_500_000,
          ...alone,
        },
      },
      {
        test: {
          name: 'cluster',
          include: ['tests/cluster/**/*.test.ts'],
          globalSetup: 'tests/cluster/one-cluster.ts',
          testTimeout: 300_000,
          hookTimeout: 3_000_000,
          ...alone,
        },
      },
      {
        test: {
          name: 'fuzz',
          include: ['tests/fuzz/**/*.test.ts'],
          testTimeout: 1_500_000,
          hookTimeout: 1_500_000,
          ...alone,
        },
      },
      {
        test: {
          name: 'slow',
          include: ['tests/slow/**/*.test.ts'],
          testTimeout: 1_500_000,
          hookTimeout: 1_500_000,
          ...alone,
        },
      },
    ],
  },
})
