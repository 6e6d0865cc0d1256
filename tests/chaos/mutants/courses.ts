import type { Course } from '../run.ts'
import { Dice, type Fault, type Target } from '../schedule.ts'
import type { BugName } from './bugs.ts'

/**
 * What is done to a shop so that a bug of a kind shows, if it is there. A sound shop gets through all of it. Written by
 * hand, since what provokes a bug is known; the seed chooses the pauses and the records.
 */
export function courseFor(bug: BugName, seed: number): Course {
  return courses[bug](new Dice(seed))
}

const PAUSE_MS = { min: 500, max: 900 }
const PLACES = 1_000_000

/** Shorter than what the front door still believes of a broker that it has reached a moment ago (kit/road.ts). */
const BROKER_STALL_MS = 2000
/** While it stands still the next batch of each topic is read, and gets no answer. */
const DATABASE_STALL_MS = 1000
/**
 * Long enough for the sidecar to miss its app and for another replica to do its work (dapr.yaml: three probes, 2 s
 * apart), and shorter than what makes the driver give up its connection (kit/mongo.ts: 10 s): what comes back then
 * goes on to write, on what it had read.
 */
const OWNER_STALL_MS = 8500

const courses: Record<BugName, (dice: Dice) => Course> = {
  // Approvals take 200 ms, so a batch is in hand whenever the service dies.
  'acknowledge before write': (dice) =>
    inTurn(dice, [kill(app('approvals')), kill(app('users')), kill(app('approvals'))]),

  // Callers who repeat, and a key that is used twice, are written once and would be told twice.
  'publish before write': (dice) =>
    inTurn(dice, [kill(app('operations')), kill({ part: 'mongodb' }), kill(app('operations'))]),

  'no dedupe': (dice) =>
    inTurn(dice, [
      duplicate(dice, 'user-create'),
      kill(app('users')),
      duplicate(dice, 'user-create'),
      duplicate(dice, 'user-create'),
    ]),

  // An answer that is lost on its way makes a caller repeat what was written.
  'no unique key': (dice) =>
    inTurn(dice, [kill(sidecar('operations')), kill(app('apigateway')), kill(sidecar('operations'))]),

  // A replica falls asleep between its read and its write, another does the work, and the first wakes up.
  'no version guard': () => [
    { afterMs: 0, fault: stall({ part: 'mongodb' }, DATABASE_STALL_MS), beside: true },
    { afterMs: DATABASE_STALL_MS - 200, fault: stall(app('users'), OWNER_STALL_MS), beside: true },
    { afterMs: 0, fault: { kind: 'scale-out', appId: 'users' } },
    { afterMs: OWNER_STALL_MS, fault: { kind: 'scale-in', appId: 'users' } },
  ],

  // The broker takes nothing just now, so what was promised a moment ago is still in the hands of who dies.
  'no sweep': (dice) =>
    [sidecar('operations'), app('operations')].flatMap((victim) => [
      { afterMs: pause(dice), fault: stall({ part: 'kafka' }, BROKER_STALL_MS), beside: true },
      { afterMs: pause(dice), fault: kill(victim) },
      { afterMs: BROKER_STALL_MS, fault: kill(app('approvals')) },
    ]),
}

function inTurn(dice: Dice, faults: readonly Fault[]): Course {
  return faults.map((fault) => ({ afterMs: pause(dice), fault }))
}

function pause(dice: Dice): number {
  return dice.between(PAUSE_MS.min, PAUSE_MS.max)
}

function kill(target: Target): Fault {
  return { kind: 'kill', target }
}

function stall(target: Target, forMs: number): Fault {
  return { kind: 'stall', target, forMs }
}

function duplicate(dice: Dice, topic: string): Fault {
  return { kind: 'duplicate', topic, place: dice.below(PLACES) }
}

/** The first replica, which is always there. */
function app(appId: string): Target {
  return { part: 'app', appId, replica: 0 }
}

function sidecar(appId: string): Target {
  return { part: 'sidecar', appId, replica: 0 }
}
