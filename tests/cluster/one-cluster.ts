import { unbuilt } from '@tideshop/cluster/binaries'
import { close } from '@tideshop/cluster/down'
import { placeOf } from '@tideshop/cluster/place'
import { readRecord, stateOf } from '@tideshop/cluster/record'
import { lacksOf } from '@tideshop/cluster/requirements'
import type { TestProject } from 'vitest/node'

declare module 'vitest' {
  interface ProvidedContext {
    /** What this machine lacks for a cluster; the tests that need one are skipped then. */
    lacks: string[]
  }
}

let wasUp = false

/** One cluster for all files, which the first of them starts (running-cluster.ts). One that runs already is used and left running. */
export async function setup(project: TestProject): Promise<void> {
  const lacks = [...lacksOf(process.env), ...(await tooLongFor(process.env))]
  project.provide('lacks', lacks)
  wasUp = isUp()
  if (lacks.length > 0) {
    console.warn(['The tests of the cluster are skipped:', ...lacks.map((lack) => `  - ${lack}`)].join('\n'))
  }
}

export async function teardown(): Promise<void> {
  if (!wasUp && isUp()) await close(placeOf(process.env))
}

/** CI has 90 minutes, of which all other tests take 25 and these as many, and on slow cores the builds 42. Elsewhere a start builds. */
async function tooLongFor(env: NodeJS.ProcessEnv): Promise<string[]> {
  if (!env['CI']) return []
  const names = await unbuilt(env)
  return names.length === 0
    ? []
    : [`not built yet: ${names.join(', ')}: pnpm test:cluster, without CI, builds them`]
}

/** Whether the machine's one cluster runs. */
export function isUp(): boolean {
  return stateOf(readRecord(placeOf(process.env))) === 'running'
}
