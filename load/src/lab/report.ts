import type { Latencies } from '../latencies.ts'
import { page, table } from '../page.ts'
import { type Line, linePlot, type Point, roundUp } from '../plot.ts'
import { inSeconds, tellTable } from '../report.ts'
import type { Run } from '../run.ts'
import type { ServiceScaling } from '../scaling.ts'
import { type Sample, seenOf } from '../timeline.ts'
import type { Variant } from './variants.ts'

/** The turns of the scaler lab side by side. */

export type Turn = { variant: Pick<Variant, 'name' | 'about'>; run: Run }

const COLOURS = ['#3b82f6', '#f59e0b', '#10b981', '#ef4444', '#a855f7']

const HEAD = [
  'trigger',
  'first wanted',
  'first ready',
  'most ready',
  'back',
  'pod-s',
  'CPU-s',
  'p50',
  'p99',
  'lost',
  'failed',
]

export function tellLab(service: string, turns: readonly Turn[]): string {
  return [
    `${service} under ${turns.map(({ variant }) => variant.name).join(', ')}`,
    ...turns.map(({ variant }) => `  ${variant.name}: ${variant.about}`),
    '',
    ...tellTable(tableOf(service, turns)),
    '',
    ...verdictsOf(service, turns),
    ...notesOf(turns),
    EXPLAINED,
  ].join('\n')
}

const EXPLAINED =
  'p50, p99: milliseconds from accepted to ended, of quotes from asked to answered. Pod-seconds: from the load’s beginning until at rest, or until it was waited for long enough; what a replica at rest costs is not in them.'

export function labPage(service: string, turns: readonly Turn[]): string {
  const told = [
    ...turns.map(({ variant }) => `${variant.name}: ${variant.about}`),
    ...verdictsOf(service, turns),
    ...notesOf(turns),
    EXPLAINED,
  ]
  const [head = [], ...rows] = tableOf(service, turns)
  const ends = turns.map(
    ({ run }) => ((run.timeline.samples.at(-1)?.atMs ?? 0) - run.timeline.beganMs) / 1000,
  )
  const xMax = roundUp(Math.max(1, ...ends))
  const first = turns[0]?.run.timeline
  const marks = first === undefined ? [] : [{ x: (first.overMs - first.beganMs) / 1000, word: 'over' }]
  const plot = (title: string, unit: string, steps: boolean, pointsOf: (samples: Sample[]) => Point[]) => {
    const lines = turns.map(({ variant, run }, index): Line => {
      const { samples, beganMs } = run.timeline
      const since = samples.filter(({ atMs }) => atMs >= beganMs)
      const points = pointsOf(since.map((sample) => ({ ...sample, atMs: sample.atMs - beganMs })))
      return { name: variant.name, colour: COLOURS[index % COLOURS.length] ?? '', steps, points }
    })
    return linePlot(title, { x: 's', y: unit, xMax }, lines, marks)
  }
  const replicas = (of: 'wanted' | 'ready') => (samples: Sample[]) =>
    seenOf(samples, service).map((one) => ({ x: one.atMs / 1000, y: one[of] }))
  const body = [
    table(head, rows),
    plot(`${service}: replicas ready`, 'replicas', true, replicas('ready')),
    plot(`${service}: replicas wanted`, 'replicas', true, replicas('wanted')),
    plot('Open operations', 'operations', false, (samples) =>
      samples.flatMap(({ atMs, beat }) => (beat.open === null ? [] : { x: atMs / 1000, y: beat.open })),
    ),
    plot('Latency at the door, p99', 'ms', false, (samples) =>
      samples.flatMap(({ atMs, beat }) => (beat.ms === null ? [] : { x: atMs / 1000, y: beat.ms.p99 })),
    ),
  ]
  return page('Tideshop · pnpm load lab', `${service} under ${turns.length} scalers`, told, body.join('\n'))
}

function tableOf(service: string, turns: readonly Turn[]): string[][] {
  const rows = turns.map(({ variant, run }) => {
    const scaling = scalingIn(run, service)
    // Of operations only; a quote is asked and answered.
    const { acceptedToEndedMs = run.totals.ms, lost } = run.result.json as {
      acceptedToEndedMs?: Latencies | null
      lost?: number
    }
    return [
      variant.name,
      inSeconds(scaling?.firstWantedSeconds ?? null),
      inSeconds(scaling?.firstReadySeconds ?? null),
      String(scaling?.mostReady ?? 0),
      inSeconds(scaling?.backSeconds ?? null),
      (scaling?.podSeconds ?? 0).toFixed(0),
      scaling?.cpuSeconds?.toFixed(1) ?? '–',
      String(acceptedToEndedMs?.p50 ?? '–'),
      String(acceptedToEndedMs?.p99 ?? '–'),
      String(lost ?? '–'),
      String(run.totals.failed),
    ]
  })
  return [HEAD, ...rows]
}

/** Of the turns that were not cut short and lost nothing. */
function verdictsOf(service: string, turns: readonly Turn[]): string[] {
  const sound = turns.filter(({ run }) => run.result.kept && !run.interrupted)
  const least = (of: (scaling: ServiceScaling) => number | null) =>
    sound
      .flatMap(({ variant, run }) => {
        const scaling = scalingIn(run, service)
        const value = scaling === undefined ? null : of(scaling)
        return value === null ? [] : [{ name: variant.name, value }]
      })
      .toSorted((one, other) => one.value - other.value)[0]
  const first = least(({ firstWantedSeconds }) => firstWantedSeconds)
  const thrifty = least(({ podSeconds }) => podSeconds)
  return [
    ...(first ? [`reacts first: ${first.name}, after ${first.value.toFixed(1)} s`] : []),
    ...(thrifty ? [`takes least: ${thrifty.name}, ${thrifty.value.toFixed(0)} pod-seconds`] : []),
  ]
}

function notesOf(turns: readonly Turn[]): string[] {
  return turns.flatMap(({ variant, run }) => run.notes.map((note) => `${variant.name}: ${note}`))
}

function scalingIn({ scaling }: Run, service: string): ServiceScaling | undefined {
  return scaling?.find((one) => one.service === service)
}
