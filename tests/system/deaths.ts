import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { CrashPoint } from '@tideshop/kit/crash-point'
import { NotStarted, type Process } from '@tideshop/run/process'
import { afterAll, expect } from 'vitest'

const DIES_WITHIN_MS = 30_000

/** Lets a process die at a point of its next life, in a shop that was opened with this `env`. */
export function deaths() {
  const folder = mkdtempSync(path.join(tmpdir(), 'tideshop-deaths-'))
  const order = path.join(folder, 'crash-at')
  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  return {
    env: { CRASH_AT: `@${order}` },
    /** `cause` makes it come to the point. Then it lives again. */
    async dies(victim: Process, point: CrashPoint, cause: () => Promise<void>): Promise<void> {
      writeFileSync(order, `${point}:1`)
      await victim.kill()
      // What came of the life before can end it before it was ready: that is the death that was asked for.
      await victim.start().catch((error) => {
        if (!(error instanceof NotStarted) || victim.running) throw error
      })
      await cause()
      await expect.poll(() => victim.running, { timeout: DIES_WITHIN_MS }).toBe(false)
      writeFileSync(order, '')
      await victim.start()
    },
  }
}
