import type { FailureStep, FailuresPage, FailureView, SettleFailure } from '@tideshop/contracts/failures'
import { topics } from '@tideshop/contracts/topics'
import { deadLetterTopic, quarantineData } from '@tideshop/kit/dead-letter'
import type { Subscription } from '@tideshop/kit/inbox'
import { DEAD_LETTERS, type Quarantine } from '@tideshop/kit/quarantine'
import { z } from 'zod'
import { claim, settle } from './failure.ts'
import type { Failures, Listed } from './failures.ts'

/** The table of failures: filled from the quarantines, and what is done about one of them. */

export type SettlingParts = { failures: Failures; quarantine: Quarantine; now: () => Date }

const becomes = { redrive: 'redriven', discard: 'discarded' } as const satisfies Record<FailureStep, string>

/** All that is asked of an envelope in a quarantine: whoever may put something aside may do so. */
const schema = z.object({
  specversion: z.literal('1.0'),
  id: z.string().max(200),
  source: z.string(),
  type: z.string(),
  subject: z.string().max(200),
  time: z.iso.datetime(),
  data: quarantineData,
})

export function quarantines({ failures, now }: SettlingParts): Subscription[] {
  return topics.map(({ name }) => ({
    topic: deadLetterTopic(name),
    component: DEAD_LETTERS,
    schema,
    handle: (events) =>
      failures.hearAll(
        events.map((event) => schema.parse(event)),
        now(),
      ),
  }))
}

/**
 * Three steps, each of which may be the last: what was claimed and not finished is finished by whoever asks again, or by what is
 * heard from the quarantine. Put back first and told then: told first, a crash would lose it.
 */
export async function settleFailure(
  { failures, quarantine, now }: SettlingParts,
  { id, step }: SettleFailure,
): Promise<FailureView> {
  const became = becomes[step]
  const claimed = await failures.change(id, (current) => claim(current, id, became, now()), now())
  if (claimed.state === became) return viewOf(claimed)
  if (became === 'redriven') await quarantine.putBack(claimed)
  const at = now()
  await quarantine.tell(claimed, became, at)
  const settled = await failures.change(
    id,
    (current) => settle(current ?? claimed, became, at.toISOString()),
    at,
  )
  return viewOf(settled)
}

/** One more than is shown was asked for: it tells whether something follows. */
export function paged(found: readonly Listed[], limit: number): FailuresPage {
  const shown = found.slice(0, limit)
  const last = shown.at(-1)
  return {
    failures: shown.map(viewOf),
    next: found.length > limit && last !== undefined ? `${last.time}~${last.id}` : null,
  }
}

function viewOf({
  id,
  topic,
  partition,
  offset,
  key,
  listener,
  reason,
  time,
  shown,
  state,
  since,
}: Listed): FailureView {
  return { id, topic, partition, offset, key, listener, reason, time, payload: shown, state, since }
}
