import { demandOf } from './cluster/scaled.ts'
import { type Elasticity, elasticityOf } from './elasticity.ts'
import { seenOf, servicesIn, type Timeline } from './timeline.ts'

/** What came of one service's scaling. Seconds are counted from the load's beginning, `back` from its end. */
export type ServiceScaling = {
  service: string
  min: number
  max: number
  mostWanted: number
  mostReady: number
  /** Until more were wanted, and were ready, than at the beginning; null when never. */
  firstWantedSeconds: number | null
  firstReadySeconds: number | null
  /** Until it was at its least, and stayed so; null when it was not by the end. */
  backSeconds: number | null
  /** From the beginning of the load to the end of the watch: time of all pods that existed, sidecars in them. */
  podSeconds: number
  /** Processor time in the same span, as the kubelet tells; null where none does. */
  cpuSeconds: number | null
  elasticity: Elasticity | null
}

const MS_PER_S = 1000

export function scalingOf(
  timeline: Timeline,
  cpuSeconds: Readonly<Record<string, number>> | null,
): ServiceScaling[] {
  return servicesIn(timeline.samples).map((service) => {
    const { beganMs, overMs, samples } = timeline
    const endMs = samples.at(-1)?.atMs ?? 0
    const seen = seenOf(samples, service)
    const begin = seen.findLast(({ atMs }) => atMs <= beganMs) ?? seen[0]
    const under = seen.filter(({ atMs }) => atMs >= beganMs)
    const firstAfter = (isSo: (one: (typeof seen)[number]) => boolean) => {
      const first = under.find(isSo)
      return first === undefined ? null : (first.atMs - beganMs) / MS_PER_S
    }
    const provisions = under.map((one) => ({ atMs: one.atMs, demanded: demandOf(one), supplied: one.ready }))
    return {
      service,
      min: begin?.min ?? 0,
      max: begin?.max ?? 0,
      mostWanted: most(under.map(({ wanted }) => wanted)),
      mostReady: most(under.map(({ ready }) => ready)),
      firstWantedSeconds: firstAfter(({ wanted }) => wanted > (begin?.wanted ?? 0)),
      firstReadySeconds: firstAfter(({ ready }) => ready > (begin?.ready ?? 0)),
      backSeconds: secondsUntilBack(timeline, service, begin?.min ?? 0),
      podSeconds: integral(under.map(({ atMs, pods }) => ({ atMs, value: pods }))) / MS_PER_S,
      cpuSeconds: cpuSeconds === null ? null : (cpuSeconds[service] ?? 0),
      elasticity: elasticityOf(provisions, Math.max(endMs, overMs)),
    }
  })
}

/** Seconds after the load until so many were wanted and ready, and no others until the end; null when it is not so. */
export function secondsUntilBack(
  { samples, overMs }: Timeline,
  service: string,
  replicas: number,
): number | null {
  const seen = seenOf(samples, service)
  const isBack = ({ wanted, ready }: (typeof seen)[number]) => wanted === replicas && ready === replicas
  const lastElsewhere = seen.findLastIndex((one) => !isBack(one))
  const back = seen[lastElsewhere + 1]
  return back === undefined ? null : Math.max(0, back.atMs - overMs) / MS_PER_S
}

function integral(values: readonly { atMs: number; value: number }[]): number {
  return values.reduce((sum, { atMs, value }, index) => {
    return sum + value * ((values[index + 1]?.atMs ?? atMs) - atMs)
  }, 0)
}

function most(numbers: readonly number[]): number {
  return numbers.reduce((highest, one) => Math.max(highest, one), 0)
}
