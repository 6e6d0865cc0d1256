import type { Bus } from './bus.ts'
import type { Outgoing } from './event.ts'
import { Refusal } from './refusal.ts'

/**
 * Before a front door promises anything it makes sure that the road to Kafka is open. Under load the answer is free:
 * something was published within the last second. A lone caller costs one small event to a topic that nobody hears.
 * So a caller meets a broker that is away as a refusal with nothing done, and never as a promise that waits.
 *
 * What slips through is a broker that dies within that second: the promise then stands in the outbox and is kept
 * when the broker is back.
 */

/** Milliseconds for which one success speaks. */
const FRESH_MS = 1000
/** Milliseconds until a broker that does not answer counts as away. */
const PROBE_TIMEOUT_MS = 800

export type Road = {
  /** Throws a refusal when the broker is away. */
  check: () => Promise<void>
  /** Tells the road what became of a publish. */
  went: (well: boolean) => void
}

export function roadTo(topic: string, appId: string, bus: Bus, now: () => Date): Road {
  const probeTopic = `${topic}.probe`
  let openAt = Number.NEGATIVE_INFINITY

  async function probe(): Promise<void> {
    const lost = await bus.publish([probeEvent(probeTopic, appId, now())], PROBE_TIMEOUT_MS)
    if (lost.size > 0) throw new Refusal('unavailable', 'the message broker is away')
    openAt = performance.now()
  }

  return {
    async check() {
      if (performance.now() - openAt > FRESH_MS) await probe()
    },
    went(well) {
      openAt = well ? performance.now() : Number.NEGATIVE_INFINITY
    },
  }
}

function probeEvent(topic: string, source: string, at: Date): Outgoing {
  const time = at.toISOString()
  return {
    topic,
    event: { specversion: '1.0', id: time, source, type: `${topic}.v1`, subject: source, time, data: null },
  }
}
