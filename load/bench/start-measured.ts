import { setTimeout as delay } from 'node:timers/promises'
import { answers } from '@tideshop/run/process'
import { type Replica, startReplica, stopReplica } from '@tideshop/run/replica'
import { BrokenRun } from './broken-run.ts'
import type { FirstServed, Served } from './first-served.ts'
import { stubSidecar } from './stub-sidecar.ts'

/** Milliseconds from the start of the process. */
export type Started = { healthzMs: number; servedMs: number }

/** Between two questions: as much as a figure may be too large. */
const ASK_EVERY_MS = 3
const SERVED_WITHIN_MS = 60_000

/** Starts the service, and stops it again when both are known. */
export async function startMeasured(
  replica: Replica,
  beside: 'Alone' | 'WithSidecar',
  first: FirstServed,
  stop: AbortSignal,
): Promise<Started> {
  if (beside === 'WithSidecar') {
    const served = await first.withSidecar()
    return measure(replica, () => startReplica(replica), served, stop)
  }
  await using _stub = await stubSidecar(replica.daprHttpPort)
  const served = await first.alone()
  // Awaited here: the stub must not go before the app.
  return await measure(replica, () => replica.app.start(), served, stop)
}

async function measure(
  replica: Replica,
  start: () => Promise<void>,
  served: Served,
  stop: AbortSignal,
): Promise<Started> {
  const startedAt = performance.now()
  const starting = start()
  try {
    const healthy = () => answers(`http://127.0.0.1:${replica.appPort}/healthz`, 200)
    const seen = Promise.all([untilTrue(healthy, startedAt, stop), untilTrue(served, startedAt, stop)])
    // A start that fails rejects first; one that succeeds says nothing yet.
    const [[healthzMs, servedMs]] = await Promise.all([seen, starting])
    return { healthzMs, servedMs }
  } finally {
    await starting.catch(() => undefined)
    await stopReplica(replica)
  }
}

async function untilTrue(asked: Served, startedAt: number, stop: AbortSignal): Promise<number> {
  while (performance.now() - startedAt < SERVED_WITHIN_MS) {
    if (await asked()) return performance.now() - startedAt
    await delay(ASK_EVERY_MS, undefined, { signal: stop })
  }
  throw new BrokenRun(`nothing was served within ${SERVED_WITHIN_MS / 1000} s`)
}
