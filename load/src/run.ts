import { setTimeout as delay } from 'node:timers/promises'
import { type Expectation, judgeAll, type Verdict } from './expectations.ts'
import type { Ground } from './ground.ts'
import { type Phase, tellLive } from './live.ts'
import { Meter, type Totals } from './meter.ts'
import { showProgress } from './progress.ts'
import { type ServiceScaling, scalingOf } from './scaling.ts'
import type { Result, Work } from './scenario.ts'
import { isAtRest, type Timeline } from './timeline.ts'
import { Watch } from './watch.ts'

/**
 * How every load runs. On a cluster: wait until it rests, look at it for a moment, load, and look on until it rests again,
 * each within a bound. Elsewhere the load alone. When `stop` fires the load ends, and there is a report of what is known.
 */

export type RunPlan = {
  work: Work
  ground: Ground
  expectations: readonly Expectation[]
  /** Milliseconds that the cluster may take to rest, before the load and after it. */
  restMs: number
}

export type Run = {
  title: string
  ranAt: string
  baseUrl: string
  interrupted: boolean
  timeline: Timeline
  totals: Totals
  result: Result
  /** Null without a cluster. */
  scaling: ServiceScaling[] | null
  verdicts: Verdict[]
  /** What to know before believing it. */
  notes: string[]
}

/** Before the load, so that plots begin with what was. */
const BEFORE_MS = 3000
const LOOK_AGAIN_MS = 200

export async function runLoad(
  { work, ground, expectations, restMs }: RunPlan,
  stop: AbortSignal,
): Promise<Run> {
  const ranAt = new Date().toISOString()
  const meter = new Meter()
  const watch = new Watch(meter, ground.cluster)
  let phase: Phase = 'waits for rest'
  const timeline: Timeline = { samples: watch.samples, beganMs: 0, overMs: 0, beganAtRest: null }
  const watching = watch.run()
  const progress = showProgress(() => tellLive(phase, watch.samples, meter.counts()))
  try {
    if (ground.cluster !== null) {
      await untilRest(watch, restMs, stop)
      timeline.beganAtRest = isResting(watch)
      // What it took to come to rest is no part of this run.
      watch.samples.splice(0, watch.samples.length - 1)
      await delay(BEFORE_MS, undefined, { signal: stop }).catch(() => undefined)
    }
    phase = 'load'
    watch.processorTime?.restart()
    timeline.beganMs = watch.nowMs()
    if (!stop.aborted) await work.run(meter, stop)
    timeline.overMs = watch.msOf(meter.lastAt ?? performance.now())
    if (ground.cluster !== null) {
      phase = 'until rest'
      await untilRest(watch, restMs, stop)
    }
  } finally {
    watch.end()
    await watching
    progress[Symbol.dispose]()
  }
  await watch.look()
  const totals = meter.totals()
  const cpuSeconds = watch.processorTime?.perService() ?? null
  return {
    title: work.title,
    ranAt,
    baseUrl: ground.baseUrl,
    interrupted: stop.aborted,
    timeline: fromZero(timeline),
    totals,
    result: work.result(),
    scaling: ground.cluster === null ? null : scalingOf(timeline, cpuSeconds),
    verdicts: judgeAll(expectations, { timeline, totals, isInterrupted: stop.aborted }),
    notes: notesOf(watch, timeline),
  }
}

async function untilRest(watch: Watch, withinMs: number, stop: AbortSignal): Promise<void> {
  const from = watch.samples.length
  const deadline = watch.nowMs() + withinMs
  while (!stop.aborted && watch.nowMs() < deadline) {
    if (watch.samples.length > from && isResting(watch)) return
    await delay(LOOK_AGAIN_MS, undefined, { signal: stop }).catch(() => undefined)
  }
}

function isResting(watch: Watch): boolean {
  const services = watch.samples.at(-1)?.services
  return services !== null && services !== undefined && isAtRest(services)
}

/** The first look is at 0. */
function fromZero({ samples, beganMs, overMs, beganAtRest }: Timeline): Timeline {
  const zero = samples[0]?.atMs ?? 0
  return {
    samples: samples.map((sample) => ({ ...sample, atMs: sample.atMs - zero })),
    beganMs: beganMs - zero,
    overMs: overMs - zero,
    beganAtRest,
  }
}

function notesOf(watch: Watch, { beganAtRest }: Timeline): string[] {
  const broken = watch.processorTime?.broken ?? null
  return [
    ...(beganAtRest === false
      ? ['the cluster was not at rest when the load began: first times say little']
      : []),
    ...(watch.blind > 0 ? [`the API server did not answer ${watch.blind} looks`] : []),
    ...(broken !== null ? [`processor time is not complete: ${broken}`] : []),
  ]
}
