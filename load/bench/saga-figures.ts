import { SAGA_TOPICS } from '@tideshop/run/shop'
import type { BareLoop } from './bare-loop.ts'
import { type Group, groups, sumOf } from './processes.ts'
import { type Figures, rounded, slopeOf } from './statistics.ts'
import type { Step } from './step.ts'

export type Found = {
  steps: readonly Step[]
  measured: Step
  relaxed: Step | null
  repeats: number
  bytesPerEvent: number
  loop: BareLoop | null
}

const MS_PER_S = 1000

/** The figures of one run, by name with their unit. Those of rates are of the step that `measured` names. */
export function figuresOf({ measured, relaxed, repeats, bytesPerEvent, loop }: Found): Figures {
  const { accepted, rate, tookMs, cpuSeconds, peakMb, plan } = measured
  const operationsPerSecond = rate?.endedPerSecond ?? (accepted * MS_PER_S) / tookMs
  const events = accepted * SAGA_TOPICS.length
  const cpuOfAll = sumOf(cpuSeconds)
  const perCpuSecond = events / cpuOfAll
  const figures: Figures = {
    eventsPerSecond: operationsPerSecond * SAGA_TOPICS.length,
    operationsPerSecond,
    kneeOperationsPerSecond: relaxed === null ? null : plan.perSecond,
    eventsPerCpuSecond: perCpuSecond,
    eventsPerCpuSecondWithoutLoad: events / (cpuOfAll - cpuSeconds.load),
    coresUsed: (cpuOfAll * MS_PER_S) / tookMs,
    ...ofEndToEnd(measured),
    endToEndP50MsAt70Percent: relaxed?.endToEndMs?.p50 ?? null,
    endToEndP99MsAt70Percent: relaxed?.endToEndMs?.p99 ?? null,
    ...Object.fromEntries(
      groups.map((group) => [`${group}CpuMsPerOperation`, (cpuSeconds[group] * MS_PER_S) / accepted]),
    ),
    ...Object.fromEntries(groups.map((group) => [`${group}PeakMb`, peakMb[group]])),
    ...ofMemory(measured),
    bytesPerEvent,
    repeats,
    bareLoopEventsPerCpuSecond: loop?.perCpuSecond ?? null,
    bareLoopEventsPerSecond: loop === null ? null : (loop.records * MS_PER_S) / loop.tookMs,
    ratioToBareLoop: loop === null ? null : perCpuSecond / loop.perCpuSecond,
  }
  return Object.fromEntries(
    Object.entries(figures).map(([name, value]) => [name, value === null ? null : rounded(value)]),
  )
}

function ofEndToEnd({ rate, endToEndMs, answerMs, accepted, refused, unknown, lateMsMax }: Step): Figures {
  return {
    endToEndP50Ms: endToEndMs?.p50 ?? null,
    endToEndP99Ms: endToEndMs?.p99 ?? null,
    acceptedPerSecond: rate?.acceptedPerSecond ?? null,
    acceptP50Ms: rate === null ? null : (answerMs?.p50 ?? null),
    acceptP99Ms: rate === null ? null : (answerMs?.p99 ?? null),
    refusedOrUnknownShare: (refused + unknown) / (accepted + refused + unknown),
    loadLateMs: rate === null ? null : lateMsMax,
  }
}

/** Over less time a slope says more about the garbage collector than about the shop. */
const TREND_MS_MIN = 120_000
const MS_PER_MINUTE = 60_000

/** Megabytes per minute in the second half of a long step. */
function ofMemory({ samples, tookMs }: Step): Figures {
  if (tookMs < TREND_MS_MIN) return {}
  const late = samples.filter(({ atMs }) => atMs > tookMs / 2)
  const growth = (group: Group) =>
    slopeOf(late.map(({ atMs, residentMb }) => ({ at: atMs / MS_PER_MINUTE, value: residentMb[group] })))
  return Object.fromEntries(groups.map((group) => [`${group}GrowsMbPerMinute`, growth(group)]))
}
