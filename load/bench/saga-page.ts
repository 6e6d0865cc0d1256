import { page, table } from '../src/page.ts'
import { barPlot, type Line, linePlot } from '../src/plot.ts'
import { FIRST_TOPIC, LAST_TOPIC } from './counts.ts'
import type { Sample } from './observer.ts'
import { type Group, groups } from './processes.ts'
import type { SagaResult } from './saga.ts'
import type { SagaRun } from './saga-run.ts'
import type { Spread } from './statistics.ts'
import type { Step } from './step.ts'
import { tellMachine, tellNumber } from './tell.ts'

const colourOf: Record<Group, string> = {
  app: '#3b82f6',
  sidecar: '#a855f7',
  broker: '#f59e0b',
  database: '#10b981',
  load: '#94a3b8',
}
const OFFERED = '#94a3b8'
const ENDED = '#3b82f6'
const LATE = '#ef4444'
/** Points of one line: a page over half an hour would otherwise have thousands. */
const POINTS_MAX = 400

/** The page of `--report`: all in one file. Plots over time are of the first run. */
export function sagaPage(result: SagaResult, spreads: Record<string, Spread>): string {
  const [run] = result.runs
  if (run === undefined) return ''
  const { from, workMs, repeat } = result.plan
  const told = `${from === 'topic' ? 'straight to user-create' : 'by the front door'}, ${workMs} ms of work per approval, ${repeat} run${repeat === 1 ? '' : 's'}`
  return page(
    'Tideshop · pnpm bench saga',
    `${tellNumber(spreads['eventsPerSecond']?.median ?? 0)} events per second`,
    [told, tellMachine(result.machine), `measured at ${result.measuredAt}`],
    [...plotsOf(run), tableOf(spreads)].join('\n'),
  )
}

function plotsOf({ steps, measured }: SagaRun): string[] {
  const rated = steps.filter(({ rate }) => rate !== null)
  return [
    overTime('Offered and ended per second', 'operations/s', steps, perSecondLines),
    overTime('Backlog', 'operations', steps, backlogLine),
    barPlot(
      'Processor time per operation',
      { x: 'operations/s', y: 'ms' },
      steps.map((step) => ({
        label: step.plan.perSecond === null ? 'all at once' : String(step.plan.perSecond),
        parts: groups.map((group) => ({
          name: group,
          colour: colourOf[group],
          value: (step.cpuSeconds[group] * 1000) / step.accepted,
        })),
      })),
    ),
    linePlot('Memory, resident', { x: 's', y: 'MB' }, memoryLines(measured)),
    ...(rated.length > 1 ? [latencyPlot(rated)] : []),
  ]
}

/** One step after the other, each where the one before ended. */
function overTime(
  title: string,
  unit: string,
  steps: readonly Step[],
  linesOf: (samples: readonly Sample[]) => Line[],
): string {
  let startS = 0
  const lines = new Map<string, Line>()
  for (const { samples, tookMs } of steps) {
    for (const { name, colour, points } of linesOf(thinned(samples))) {
      const shifted = points.map(({ x, y }) => ({ x: x + startS, y }))
      lines.set(name, { name, colour, points: [...(lines.get(name)?.points ?? []), ...shifted] })
    }
    startS += tookMs / 1000
  }
  return linePlot(title, { x: 's', y: unit }, [...lines.values()])
}

function perSecondLines(samples: readonly Sample[]): Line[] {
  const rate = (count: (sample: Sample) => number) =>
    samples.slice(1).map((sample, index) => {
      const before = samples[index] as Sample
      const ms = Math.max(1, sample.atMs - before.atMs)
      return { x: sample.atMs / 1000, y: ((count(sample) - count(before)) * 1000) / ms }
    })
  return [
    { name: 'offered', colour: OFFERED, points: rate(({ produced }) => produced[FIRST_TOPIC] ?? 0) },
    { name: 'ended', colour: ENDED, points: rate(({ consumed }) => consumed[LAST_TOPIC] ?? 0) },
  ]
}

function backlogLine(samples: readonly Sample[]): Line[] {
  const points = samples.map(({ atMs, accepted, consumed }) => {
    return { x: atMs / 1000, y: Math.max(0, accepted - (consumed[LAST_TOPIC] ?? 0)) }
  })
  return [{ name: 'accepted and not ended', colour: LATE, points }]
}

function memoryLines({ samples }: Step): Line[] {
  const seen = thinned(samples)
  return groups.map((group) => ({
    name: group,
    colour: colourOf[group],
    points: seen.map(({ atMs, residentMb }) => ({ x: atMs / 1000, y: residentMb[group] })),
  }))
}

function latencyPlot(steps: readonly Step[]): string {
  const sorted = steps.toSorted((one, other) => (one.plan.perSecond ?? 0) - (other.plan.perSecond ?? 0))
  const points = (of: 'p50' | 'p99') =>
    sorted.flatMap(({ plan, endToEndMs }) => {
      return endToEndMs === null ? [] : { x: plan.perSecond ?? 0, y: endToEndMs[of] }
    })
  return linePlot('From accepted to ended', { x: 'operations/s offered', y: 'ms' }, [
    { name: 'p50', colour: ENDED, points: points('p50') },
    { name: 'p99', colour: LATE, points: points('p99') },
  ])
}

function thinned(samples: readonly Sample[]): Sample[] {
  const every = Math.ceil(samples.length / POINTS_MAX)
  return samples.filter((_, index) => index % every === 0 || index === samples.length - 1)
}

function tableOf(spreads: Record<string, Spread>): string {
  const rows = Object.entries(spreads).map(([name, { median, min, max }]) => {
    return [name, ...[median, min, max].map(tellNumber)]
  })
  return table(['figure', 'median', 'least', 'most'], rows)
}
