import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { type Identity, isAlive, startTime } from '@tideshop/run/record'
import type { Place } from './place.ts'

/**
 * What is needed to find a cluster again, and to leave this machine as it was. `runner` is the `up` that starts it;
 * once that has ended, the cluster is the process namespace of `holder` and all in it.
 */
export type ClusterRecord = {
  runner: Identity
  holder: Identity | null
  /** Settings of the whole machine that a kubelet changes, as they were before: file and content. */
  settings: Record<string, string>
}

export type State = 'none' | 'starting' | 'running' | 'dead'

export function readRecord(place: Place): ClusterRecord | null {
  if (!existsSync(place.record)) return null
  return JSON.parse(readFileSync(place.record, 'utf8')) as ClusterRecord
}

/** `dead`: its record is here and nothing of it runs, after a kill or a reboot. */
export function stateOf(record: ClusterRecord | null): State {
  if (record === null) return 'none'
  if (isAlive(record.runner)) return 'starting'
  return record.holder !== null && isAlive(record.holder) ? 'running' : 'dead'
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
