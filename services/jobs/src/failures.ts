import { changeAll, changeOne, type Rows } from '@tideshop/kit/aggregates'
import type { QuarantineData } from '@tideshop/kit/dead-letter'
import type { Event } from '@tideshop/kit/event'
import type { Result } from '@tideshop/kit/inbox'
import { atTheDoor } from '@tideshop/kit/mongo'
import { type Failure, failureIdOf, hear } from './failure.ts'

/** Milliseconds of the database's share in the one second that the door gives a call. */
const DOOR_TIMEOUT_MS = 700
/** A week longer than a quarantine keeps a letter. */
const KEPT_DAYS = 35
const DAY_MS = 86_400_000

/** As a list shows it. */
export type Listed = Omit<Failure, 'payload'>
/** The place in the list of the last one that was shown. */
export type After = { time: string; id: string }

export type Failures = {
  /** What stands in the quarantines. Forgets what they have forgotten. */
  hearAll: (events: readonly Event<QuarantineData>[], now: Date) => Promise<readonly Result[]>
  /** What was put aside last comes first. */
  list: (wanted: { after?: After | undefined; max: number }) => Promise<readonly Listed[]>
  /** `decide` may run more than once, so it must be pure. */
  change: (id: string, decide: (current: Failure | null) => Failure, now: Date) => Promise<Failure>
}

export type FailureRows = Rows<Failure> & {
  list: Failures['list']
  forget: (before: string) => Promise<void>
}

export function failuresIn(rows: FailureRows): Failures {
  return {
    async hearAll(events, now) {
      const results = await changeAll(rows, events, ({ data }) => failureIdOf(data), hear)
      await rows.forget(new Date(now.getTime() - KEPT_DAYS * DAY_MS).toISOString())
      return results
    },
    list: (wanted) => atTheDoor(rows.list(wanted), DOOR_TIMEOUT_MS, false),
    async change(id, decide, now) {
      const changed = changeOne(rows, id, (current) => ({ next: decide(current), tell: [] }), now)
      return (await atTheDoor(changed, DOOR_TIMEOUT_MS, true)).next
    },
  }
}
