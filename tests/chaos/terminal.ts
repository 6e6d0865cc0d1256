import { readdirSync } from 'node:fs'
import path from 'node:path'
import { showProgress as showLine } from '@tideshop/load/progress'
import { killRecorded } from '@tideshop/run/record'
import type { Progress } from './run.ts'

/** What whoever started a run sees of it, and how he ends it. */

export const INTERRUPTED = 130

/** One line, from the moment that there is something to tell of. */
export function showProgress(kills: number) {
  const begunAt = performance.now()
  let look: (() => Progress) | null = null
  const shown = showLine(() => {
    if (look === null) return ''
    const { kills: done, accepted, ended, open, now } = look()
    const seconds = Math.round((performance.now() - begunAt) / 1000)
    return `${seconds} s · ${done}/${kills} kills · ${accepted} accepted · ${ended} ended · ${open} open · ${now}`
  })
  return {
    watch: (given: () => Progress) => {
      look = given
    },
    end: () => shown[Symbol.dispose](),
  }
}

/** The first signal asks, the second kills: the shop in `dir`, and those in its folders. */
export function stopSignal(dir: string): AbortSignal {
  const stopping = new AbortController()
  const heard = () => {
    if (stopping.signal.aborted) {
      for (const place of ['.', ...readdirSync(dir)]) killRecorded(path.join(dir, place))
      process.exit(INTERRUPTED)
    }
    console.log('\nclosing the shop … (Ctrl-C again kills at once)')
    stopping.abort()
  }
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, heard)
  return stopping.signal
}
