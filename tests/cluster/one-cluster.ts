import { close } from '@tideshop/cluster/down'
import { placeOf } from '@tideshop/cluster/place'
import { readRecord, stateOf } from '@tideshop/cluster/record'
import { lacksOf } from '@tideshop/cluster/requirements'
import { up } from '@tideshop/cluster/up'
import { plainLines } from '@tideshop/run/progress'
import type { TestProject } from 'vitest/node'

declare module 'vitest' {
  interface ProvidedContext {
    /** What this machine lacks for a cluster; the tests that need one are skipped then. */
    lacks: string[]
  }
}

let isOurs = false

/** One cluster for all files. One that runs already is used, and left running. */
export async function setup(project: TestProject): Promise<void> {
  const lacks = lacksOf(process.env)
  project.provide('lacks', lacks)
  if (lacks.length > 0) {
    console.warn(['The tests of the cluster are skipped:', ...lacks.map((lack) => `  - ${lack}`)].join('\n'))
    return
  }
  if (stateOf(readRecord(placeOf(process.env))) === 'running') return
  await up({ env: process.env, report: plainLines(), signal: new AbortController().signal })
  isOurs = true
}

export async function teardown(): Promise<void> {
  if (isOurs) await close(placeOf(process.env))
}
