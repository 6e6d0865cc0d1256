import { pino } from 'pino'
import { memoryBus } from '../src/memory.ts'
import { createMetrics } from '../src/telemetry.ts'

export const noon = new Date('2026-11-21T12:00:00Z')

/** What every service is made of, without a sidecar: a bus in memory, a clock that stands, silence. */
export function quietParts(appId: string, bus = memoryBus()) {
  return {
    appId,
    bus,
    log: pino({ level: 'silent' }),
    metrics: createMetrics(appId),
    now: () => noon,
    batchWaitMs: 20,
    ready: async () => {},
  }
}

/** The body of a bulk delivery as the sidecar sends it: base64 entries, whatever they hold. */
export function delivery(...records: unknown[]) {
  const entries = records.map((record, index) => ({
    entryId: String(index),
    event: Buffer.from(typeof record === 'string' ? record : JSON.stringify(record)).toString('base64'),
    metadata: { __partition: '0', __offset: String(index) },
    contentType: 'application/octet-stream',
  }))
  return { id: 'batch', entries }
}
