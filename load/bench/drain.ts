import { setTimeout as delay } from 'node:timers/promises'
import { BrokenRun } from './broken-run.ts'
import { LAST_TOPIC, sumOfTopics } from './counts.ts'
import { operationsIn } from './ledger.ts'
import type { Observer, Sample } from './observer.ts'
import type { Offer } from './offer.ts'
import type { Scene } from './scene.ts'

/** A shop in which nothing has moved for so long will not end it. */
const STALLED_MS = 20_000
const LOOK_AGAIN_MS = 50

/**
 * Resolves with the sample in which everything that was accepted had ended. The services' count says when, to some
 * 25 ms; since it counts a record twice that was delivered twice, the store has the last word.
 */
export async function untilEnded(
  observer: Observer,
  { tally }: Offer,
  offering: Promise<unknown>,
  scene: Scene,
): Promise<Sample> {
  let answered = false
  let broken: Error | null = null
  offering.then(
    () => {
      answered = true
    },
    (error: Error) => {
      broken = error
    },
  )
  const watchdog = newWatchdog()
  const ended = () => observer.samples.at(-1)?.consumed[LAST_TOPIC] ?? 0
  const isOver = (sample: Sample) => {
    if (broken !== null) throw broken
    watchdog(sumOfTopics(sample.consumed) + sample.accepted, `${ended()} of ${tally.accepted} had ended`)
    return answered && ended() >= tally.accepted
  }
  const nearly = () => (answered ? ended() / tally.accepted : 0)
  let last = await observer.watch(isOver, nearly, scene.stop)
  for (let pending = await countPending(scene); pending > 0; pending = await countPending(scene)) {
    watchdog(-pending, `${pending} operations are pending, though their answers were heard`)
    await delay(LOOK_AGAIN_MS, undefined, { signal: scene.stop })
    last = await observer.look()
  }
  return last
}

/** By their ids: to count, the embedded database would lay all operations into its heap. */
async function countPending(scene: Scene): Promise<number> {
  const pending = operationsIn(scene.client).find({ 'body.status': 'pending' }).project({ _id: 1 })
  return (await pending.toArray()).length
}

/** Throws when what it is told has not changed for too long. */
function newWatchdog(): (progress: number, told: string) => void {
  let known = Number.NaN
  let movedAt = performance.now()
  return (progress, told) => {
    if (progress !== known) {
      known = progress
      movedAt = performance.now()
    } else if (performance.now() - movedAt > STALLED_MS) {
      throw new BrokenRun(`nothing has moved for ${STALLED_MS / 1000} s: ${told}`)
    }
  }
}
