import { readdirSync, rmSync } from 'node:fs'
import type { Place } from './place.ts'
import { deleteRecord, readRecord } from './record.ts'
import { closeSpace, restoreSettings } from './space.ts'

/** Ends all of a cluster and leaves this machine as it was. Only its logs stay, until the next one. */
export async function close(place: Place): Promise<void> {
  const record = readRecord(place)
  if (record === null) return
  if (record.holder !== null) await closeSpace(record.holder)
  restoreSettings(record.settings)
  for (const name of readdirSync(place.folder)) {
    if (!['logs', 'record.json'].includes(name)) rmSync(place.file(name), { recursive: true, force: true })
  }
  deleteRecord(place)
}
