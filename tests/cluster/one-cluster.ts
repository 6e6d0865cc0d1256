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
export function setup(project: TestProject): void {
  const lacks = lacksOf(process.env)
  project.provide('lacks', lacks)
  wasUp = isUp()
  if (lacks.length > 0) {
    console.warn(['The tests of the cluster are skipped:', ...lacks.map((lack) => `  - ${lack}`)].join('\n'))
  }
}

export async function teardown(): Promise<void> {
  if (!wasUp && isUp()) await close(placeOf(process.env))
}

/** Whether the machine's one cluster runs. */
export function isUp(): boolean {
  return stateOf(readRecord(placeOf(process.env))) === 'running'
}
