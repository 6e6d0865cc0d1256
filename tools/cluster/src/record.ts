import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { type Identity, isAlive, startTime } from '@tideshop/run/record'
import type { Place } from './place.ts'

/** What is needed to find a cluster again, and to leave this machine as it was. */
export type ClusterRecord = {
  /** The `up` that starts it; null when the start is done. From then on it is the namespaces of `holder` and all in them. */
  runner: Identity | null
  holder: Identity | null
  /** Settings of the whole machine that a kubelet changes, as they were before: file and content. */
  settings: Record<string, string>
}

export type State = 'none' | 'starting' | 'running' | 'dead'

export function readRecord(place: Place): ClusterRecord | null {
  if (!existsSync(place.record)) return null
  return JSON.parse(readFileSync(place.record, 'utf8')) as ClusterRecord
}

/** `dead`: after a kill or a reboot there is its record, and maybe half of it still runs. */
export function stateOf(record: ClusterRecord | null): State {
  if (record === null) return 'none'
  if (record.runner !== null) return isAlive(record.runner) ? 'starting' : 'dead'
  return record.holder !== null && isAlive(record.holder) ? 'running' : 'dead'
}

/** The process that holds the namespaces of the cluster that was started here; throws when there is none. */
export function holderOf(place: Place): Identity {
  const holder = readRecord(place)?.holder
  if (!holder) throw new Error('there is no cluster: pnpm cluster up starts one')
  return holder
}

/** In one step, since half a record finds nothing again. */
export function writeRecord(place: Place, record: ClusterRecord): void {
  mkdirSync(place.folder, { recursive: true })
  writeFileSync(`${place.record}.new`, JSON.stringify(record, null, 2))
  renameSync(`${place.record}.new`, place.record)
}

export function deleteRecord(place: Place): void {
  rmSync(place.record, { force: true })
}

export function identityOf(pid: number): Identity {
  const startedAt = startTime(pid)
  if (startedAt === null) throw new Error(`process ${pid} ended as soon as it was started`)
  return { pid, startedAt }
}
