import { setTimeout as delay } from 'node:timers/promises'
import { between, type Member, readUsage } from './processes.ts'

/**
 * Before a clock starts, what was done before it must be over: a database still compacts its file, a JVM compiles.
 * Quiet is when broker and database together take less than this part of a core, looked at over `LOOK_MS`.
 */
const QUIET_CORES = 0.2
const LOOK_MS = 300
/** A machine on which others work may never be quiet by this measure; then it goes on all the same. */
const QUIET_WITHIN_MS = 10_000

export async function untilIdle({
  members,
  stop,
}: {
  members: readonly Member[]
  stop: AbortSignal
}): Promise<void> {
  const deadline = performance.now() + QUIET_WITHIN_MS
  while (performance.now() < deadline) {
    const before = readUsage(members).cpuSeconds
    await delay(LOOK_MS, undefined, { signal: stop })
    const { broker, database } = between(before, readUsage(members).cpuSeconds)
    if (broker + database < (QUIET_CORES * LOOK_MS) / 1000) return
  }
}
