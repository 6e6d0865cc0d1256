import { availableParallelism, cpus, totalmem } from 'node:os'
import type { DatabaseKind } from '@tideshop/run/backbone'
import { locate } from '@tideshop/runtime/provide'

/** What a figure was measured on: without it the figure says nothing. */
export type Machine = {
  cores: number
  processor: string
  memoryGb: number
  node: string
  daprd: string
  kafka: string
  /** `embedded, on disk`, `embedded, in memory`, `mongod`, or that it was given by `MONGODB_URI`. */
  database: string
}

const BYTES_PER_GB = 1024 ** 3

export async function describeMachine(kept: DatabaseKind): Promise<Machine> {
  const [daprd, kafka, mongodb] = await Promise.all([locate('daprd'), locate('kafka'), locate('mongodb')])
  return {
    cores: availableParallelism(),
    processor: cpus()[0]?.model ?? 'unknown',
    memoryGb: Math.round(totalmem() / BYTES_PER_GB),
    node: process.version,
    daprd: versionOf(daprd),
    kafka: versionOf(kafka),
    database: databaseOf(mongodb, kept),
  }
}

type Located = Awaited<ReturnType<typeof locate>>

function versionOf(located: Located): string {
  if (located.state === 'missing') return 'missing'
  if (located.state === 'buildable') return located.version
  return located.provided.kind === 'program' ? located.provided.version : located.provided.origin
}

function databaseOf(located: Located, kept: DatabaseKind): string {
  const provided = located.state === 'found' ? located.provided : null
  if (provided?.kind === 'remote') return provided.origin
  if (provided?.dialect === 'mongod') return `mongod ${provided.version}`
  return kept === 'memory' ? 'embedded, in memory' : 'embedded, on disk'
}
