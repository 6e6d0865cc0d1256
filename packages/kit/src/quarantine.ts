import type { Bus } from './bus.ts'
import { type Becomes, type DeadLetter, type DeadPlace, letterSettled } from './dead-letter.ts'
import { Refusal } from './refusal.ts'
import type { Sidecar } from './sidecar.ts'

/** The pub/sub component that brings the quarantines, and takes back what lay in them. */
export const DEAD_LETTERS = 'dead-letters'

/** Milliseconds for one answer of the sidecar. */
export const PUBLISH_TIMEOUT_MS = 4000

/** Both may be done twice. A refusal says that it may or may not have been done. */
export type Quarantine = {
  /** The same bytes into the topic where they were, with the same key, by which they find their partition again. */
  putBack: (letter: Pick<DeadLetter, 'topic' | 'key' | 'payload'>) => Promise<void>
  /** Tells everybody who reads the quarantine, `pnpm dead` as well. */
  tell: (letter: DeadPlace, became: Becomes, at: Date) => Promise<void>
}

/** `bus` has to speak by the component of the quarantines. */
export function quarantineThrough(sidecar: Sidecar, bus: Bus, appId: string): Quarantine {
  return {
    async putBack({ topic, key, payload }) {
      const query = new URLSearchParams({ 'metadata.rawPayload': 'true' })
      if (key !== null) query.set('metadata.partitionKey', key)
      const sent = sidecar.send({
        method: 'POST',
        path: `/v1.0/publish/${DEAD_LETTERS}/${topic}?${query}`,
        headers: { 'content-type': 'application/octet-stream' },
        body: Buffer.from(payload ?? '', 'base64'),
        timeoutMs: PUBLISH_TIMEOUT_MS,
      })
      const answer = await sent.catch(() => null)
      if (answer?.status !== 204) throw lost(`put back into ${topic}`)
    },

    async tell(letter, became, at) {
      const missing = await bus.publish([letterSettled(letter, became, appId, at)], PUBLISH_TIMEOUT_MS)
      if (missing.size > 0) throw lost('settled')
    },
  }
}

function lost(what: string): Refusal {
  return new Refusal('uncertain', `the message broker did not answer: it may or may not have been ${what}`)
}
