import { demandOf } from './cluster/scaled.ts'
import { page, table } from './page.ts'
import { type Line, linePlot, roundUp } from './plot.ts'
import { perMillion, scalingHead, scalingRow } from './report.ts'
import type { Run } from './run.ts'
import { type Sample, seenOf, servicesIn } from './timeline.ts'

/** The page of `--report`: all in one file, every plot over the same time. */

const BLUE = '#3b82f6'
const RED = '#ef4444'
const GREY = '#94a3b8'
const GREEN = '#10b981'
const AMBER = '#f59e0b'
const LAG_COLOURS = [BLUE, AMBER, GREEN, RED, '#a855f7', '#14b8a6', GREY]

/** Rates of single half seconds jump; this many looks together do not. */
const RATE_OVER = 4

type Frame = { samples: readonly Sample[]; xMax: number; marks: { x: number; word: string }[] }

export function reportPage(run: Run): string {
  const { result, scaling, verdicts, notes } = run
  const told = [...result.told.split('\n'), `measured at ${run.ranAt} through ${run.baseUrl}`, ...notes]
  const body = [
    ...(verdicts.length === 0 ? [] : [verdictTable(run)]),
    ...plotsOf(run),
    ...(scaling === null ? [] : [table(scalingHead, scaling.map(scalingRow)), ...costs(run), legend()]),
  ]
  return page(`Tideshop · pnpm load`, run.title, told, body.join('\n'))
}

function plotsOf({ timeline }: Run): string[] {
  const { samples, beganMs, overMs } = timeline
  const frame: Frame = {
    samples,
    xMax: roundUp(Math.max(1, (samples.at(-1)?.atMs ?? 0) / 1000)),
    marks: [
      { x: beganMs / 1000, word: 'load' },
      { x: overMs / 1000, word: 'over' },
    ],
  }
  return [
    loadPlot(frame),
    latencyPlot(frame),
    ...lagPlot(frame),
    ...servicesIn(samples).flatMap((service) => servicePlots(frame, service)),
  ]
}

function loadPlot({ samples, xMax, marks }: Frame): string {
  const rate = (of: (sample: Sample) => number) =>
    samples.slice(1).map(({ atMs }, index) => {
      const from = Math.max(0, index + 1 - RATE_OVER)
      const seconds = (atMs - (samples[from]?.atMs ?? 0)) / 1000
      const count = samples.slice(from + 1, index + 2).reduce((sum, sample) => sum + of(sample), 0)
      return { x: atMs / 1000, y: seconds > 0 ? count / seconds : 0 }
    })
  const lines: Line[] = [
    { name: 'looks', colour: GREY, points: rate(({ beat }) => beat.looks) },
    { name: 'good', colour: BLUE, points: rate(({ beat }) => beat.good) },
    { name: 'asked to repeat', colour: AMBER, points: rate(({ beat }) => beat.repeated) },
    { name: 'failed', colour: RED, points: rate(({ beat }) => beat.failed) },
  ]
  const hasSome = ({ points, name }: Line) => name === 'good' || points.some(({ y }) => y > 0)
  return linePlot('Load', { x: 's', y: 'requests/s', xMax }, lines.filter(hasSome), marks)
}

function latencyPlot({ samples, xMax, marks }: Frame): string {
  const of = (part: 'p50' | 'p99') =>
    samples.flatMap(({ atMs, beat }) => (beat.ms === null ? [] : { x: atMs / 1000, y: beat.ms[part] }))
  const lines: Line[] = [
    { name: 'p99', colour: RED, points: of('p99') },
    { name: 'p50', colour: BLUE, points: of('p50') },
  ]
  return linePlot('Latency', { x: 's', y: 'ms', xMax }, lines, marks)
}

/** What waits: as KEDA tells it of each topic, and as callers know it. */
function lagPlot({ samples, xMax, marks }: Frame): string[] {
  const open = samples.flatMap(({ atMs, beat }) =>
    beat.open === null ? [] : { x: atMs / 1000, y: beat.open },
  )
  const ofTriggers = servicesIn(samples).flatMap((service) => {
    const seen = seenOf(samples, service)
    const names = new Set(seen.flatMap(({ triggers }) => triggers.map(({ name }) => name)))
    return [...names].filter(isLag).map((name) => {
      const points = seen.flatMap(({ atMs, triggers }) => {
        const trigger = triggers.find((one) => one.name === name)
        const value = trigger?.isActive ? trigger.value : 0
        return value === null || trigger === undefined ? [] : { x: atMs / 1000, y: value }
      })
      return { name: `${service} ${shortOf(name)}`, points, steps: true }
    })
  })
  const all = [...(open.length === 0 ? [] : [{ name: 'open, as callers know', points: open }]), ...ofTriggers]
  if (all.length === 0) return []
  const lines = all.map((line, index) => ({
    ...line,
    colour: LAG_COLOURS[index % LAG_COLOURS.length] ?? GREY,
  }))
  return [linePlot('Lag', { x: 's', y: 'messages', xMax }, lines, marks)]
}

function servicePlots({ samples, xMax, marks }: Frame, service: string): string[] {
  const seen = seenOf(samples, service)
  const line = (name: string, colour: string, of: (one: (typeof seen)[number]) => number): Line => ({
    name,
    colour,
    steps: true,
    points: seen.map((one) => ({ x: one.atMs / 1000, y: of(one) })),
  })
  const replicas = linePlot(
    `${service}: replicas`,
    { x: 's', y: 'replicas', xMax },
    [
      { ...line('demanded', GREY, demandOf), dashed: true },
      line('wanted', AMBER, ({ wanted }) => wanted),
      line('ready', GREEN, ({ ready }) => ready),
    ],
    marks,
  )
  const names = [...new Set(seen.flatMap(({ triggers }) => triggers.map(({ name }) => name)))]
  const triggers = names.map((name) => {
    const of = (one: (typeof seen)[number]) => one.triggers.find((trigger) => trigger.name === name)
    const threshold = seen.map(of).find((trigger) => trigger !== undefined)?.threshold ?? 0
    return linePlot(
      `${service}: ${shortOf(name)}, one replica for every ${threshold}`,
      { x: 's', y: 'value', xMax },
      [
        { ...line('threshold × ready', GREY, ({ ready }) => threshold * ready), dashed: true },
        line('value', BLUE, (one) => of(one)?.value ?? 0),
      ],
      marks,
    )
  })
  return [...triggers, replicas]
}

function isLag(trigger: string): boolean {
  return /^s\d+-(kafka|rabbitmq)/.test(trigger)
}

/** `kafka user-create` of `s0-kafka-user-create`. */
function shortOf(trigger: string): string {
  return trigger.replace(/^s\d+-/, '').replace('-', ' ')
}

function verdictTable({ verdicts }: Run): string {
  return table(
    ['expected', '', 'found'],
    verdicts.map(({ expected, outcome, why }) => [expected, outcome, why]),
  )
}

function costs(run: Run): string[] {
  const all = perMillion(run)
  if (all === null) return []
  const { unit, count } = run.result.done
  const cells = [all.podSeconds, all.cpuSeconds].map((one) =>
    one === null ? 'not measured' : one.toFixed(0),
  )
  return [table([`for a million ${unit}, from ${count}`, 'pod-seconds', 'CPU-seconds'], [['', ...cells]])]
}

function legend(): string {
  return `<p>First wanted, first ready: after the load began. Back: after it was over. θ: how much was missing (U) or too much (O), in parts of
what the triggers asked for, on average over time; τ: for how much of the time (SPEC RG Cloud, SPEC-RG-2016-01). What lag asks for depends
on who is there to work it off, so θ and τ compare runs of one trigger. Told to share partitions out evenly, KEDA rounds the lag of a topic
up to replicas that it divides into, and tells one replica’s worth for an empty one; whether anything waits it says elsewhere.</p>`
}
