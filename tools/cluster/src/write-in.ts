import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import type { Place } from './place.ts'

/** Writes a file of the cluster, for its owner's eyes alone, and says where it is. */
export function writeIn(place: Place, name: string, content: string): string {
  const file = place.file(name)
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, content, { mode: 0o600 })
  return file
}
