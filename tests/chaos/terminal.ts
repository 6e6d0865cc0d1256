import { readdirSync } from 'node:fs'
import path from 'node:path'
import { killRecorded } from '@tideshop/run/record'
import type { Progress } from './run.ts'

/** What whoever started a run sees of it, and how he ends it. */

const TERMINAL_EVERY_MS = 250
const LOG_EVERY_MS = 5000
export const INTERRUPTED = 130

/** One line that is written over in a terminal, a line now and then elsewhere. */
export function showProgress(kills: number) {
  const { isTTY, columns } = process.stdout
  const begunAt = performance.now()
  let look: (() => Progress) | null = null
  const show = () => {
    if (look === null) return
    const { kills: done, accepted, ended, open, now } = look()
    const seconds = Math.round((performance.now() - begunAt) / 1000)
    const counts = `${accepted} accepted · ${ended} ended · ${open} open`
    const line = `${seconds} s · ${done}/${kills} kills · ${counts} · ${now}`
    process.stdout.write(isTTY ? `\r\u001b[K${line.slice(0, (columns || 80) - 1)}` : `${line}\n`)
  }
  const timer = setInterval(show, isTTY ? TERMINAL_EVERY_MS : LOG_EVERY_MS)
  return {
    watch: (given: () => Progress) => {
      look = given
    },
    end: () => {
      clearInterval(timer)
      show()
      if (isTTY) process.stdout.write('\n')
    },
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
