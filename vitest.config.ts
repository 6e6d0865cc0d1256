import { availableParallelism } from 'node:os'
import { defineConfig } from 'vitest/config'
import { closingLine } from './tests/closing-line.ts'
import { LongestFirst } from './tests/longest-first.ts'

/**
 * Two files at a time, after all others: each has a shop of its own, Kafka, database and sidecars, and mostly waits for it. In CI one,
 * whose machine may be slow or shared: there two shops have kept each other from answering in time.
 */
const besideAnother = {
  maxWorkers: process.env['CI'] ? 1 : 2,
  pool: 'forks' as const,
  sequence: { groupOrder: 1 },
}
/** One file at a time: what it says is about time, processor time or memory, or it has the machine's one cluster. */
const alone = { fileParallelism: false, pool: 'forks' as const, sequence: { groupOrder: 2 } }
/** Milliseconds: far above what it takes on a machine that has nothing else to do, since only what hangs has to be found by them. */
const ofOne = { testTimeout: 30_000, hookTimeout: 60_000 }
/** The first start builds and fetches. */
const ofShops = { testTimeout: 120_000, hookTimeout: 1_500_000 }
const onCluster = {
  globalSetup: 'tests/cluster/one-cluster.ts',
  setupFiles: 'tests/cluster/running-cluster.ts',
  testTimeout: 600_000,
  hookTimeout: 3_000_000,
  ...alone,
  sequence: { groupOrder: 3 },
}

const ALONE = ['cost', 'outage', 'prices', 'start'].map((name) => `tests/system/${name}.test.ts`)
/** Eight minutes, in which the cluster loses Dapr, KEDA and the shop, and gets them back. */
const CONTEXT = 'tests/cluster/context.test.ts'

export default defineConfig({
  test: {
    reporters: ['default', closingLine()],
    // By itself vitest leaves one core idle, which on two cores is half of them.
    maxWorkers: availableParallelism(),
    sequence: { sequencer: LongestFirst },
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
          ...ofOne,
        },
      },
      { test: { name: 'service', include: ['{packages,services}/*/test/**/*.test.ts'], ...ofOne } },
      { test: { name: 'tools', include: ['tools/*/test/**/*.test.ts', 'load/test/**/*.test.ts'], ...ofOne } },
      { test: { name: 'simulation', include: ['tests/simulation/**/*.test.ts'], ...ofOne } },
      {
        test: {
          name: 'system',
          include: ['tests/system/*.test.ts'],
          exclude: ALONE,
          ...ofShops,
          ...besideAnother,
        },
      },
      { test: { name: 'alone', include: ALONE, ...ofShops, ...alone } },
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
          exclude: [CONTEXT],
          ...onCluster,
        },
      },
      { test: { name: 'context', include: [CONTEXT], ...onCluster } },
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
