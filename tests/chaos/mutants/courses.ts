import { Dice } from '../dice.ts'
import type { Fault, Target } from '../fault.ts'
import type { Step } from '../schedule.ts'
import type { BugName } from './bugs.ts'

/**
 * What is done to a shop so that a bug of a kind shows, if it is there. A sound shop gets through all of it. Written by
 * hand, since what provokes a bug is known; the seed chooses the pauses and the records.
 */
export function courseFor(bug: BugName, seed: number): Step[] {
  return courses[bug](new Dice(seed))
}

const PAUSE_MS = { min: 500, max: 900 }
const PLACES = 1_000_000

/** The victim dies in its first second, while the front door still believes in the broker (kit/road.ts). */
const BROKER_STALL_MS = 2000
/** A group misses a silent member after 3 s (components/); by then all partitions are the first replica's. */
const SIDECAR_STALL_MS = 9000
/** Decisions gather, and come as one batch just when the database has stopped. */
const DECISIONS_STALL_MS = 1200
const DECISIONS_COME_MS = 150
const DATABASE_STALL_MS = 1000
/**
 * Long enough for another replica to take over and do the work, and short enough that the driver does not give up its
 * connection (kit/mongo.ts: 10 s). So what wakes up goes on to write, on what it asked for before it fell asleep.
 */
const OWNER_STALL_MS = 8000

const courses: Record<BugName, (dice: Dice) => Step[]> = {
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

  // Twice, for who was just writing when the database stopped has nothing left to do wrong.
  'no version guard': () => [
    { afterMs: 0, fault: { kind: 'scale-out', appId: 'users' } },
    ...sleepingOwner(0),
    ...sleepingOwner(OWNER_STALL_MS),
    { afterMs: OWNER_STALL_MS, fault: { kind: 'scale-in', appId: 'users' } },
  ],

  // The broker takes nothing just now, so what was promised a moment ago is still in the hands of who dies.
  'no sweep': (dice) =>
    [sidecar('operations'), app('operations')].flatMap((victim) => [
      { afterMs: BROKER_STALL_MS, fault: stall({ part: 'kafka' }, BROKER_STALL_MS) },
      { afterMs: pause(dice), fault: kill(victim) },
    ]),
}

/**
 * A replica falls asleep between its read and its write, another does the work, and the first wakes up. The other was
 * silent until then, because one that only now starts may come too late.
 */
function sleepingOwner(afterMs: number): Step[] {
  return [
    { afterMs, fault: stall({ part: 'sidecar', appId: 'users', replica: 1 }, SIDECAR_STALL_MS) },
    { afterMs: SIDECAR_STALL_MS - 2500, fault: stall(app('approvals'), DECISIONS_STALL_MS) },
    { afterMs: DECISIONS_STALL_MS + DECISIONS_COME_MS, fault: stall({ part: 'mongodb' }, DATABASE_STALL_MS) },
    { afterMs: DATABASE_STALL_MS - 200, fault: stall(app('users'), OWNER_STALL_MS) },
  ]
}

function inTurn(dice: Dice, faults: readonly Fault[]): Step[] {
  return faults.map((fault) => ({ afterMs: pause(dice), fault }))
}

function pause(dice: Dice): number {
  return dice.between(PAUSE_MS)
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
