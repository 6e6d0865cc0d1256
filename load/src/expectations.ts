import { existsSync, readFileSync } from 'node:fs'
import { CannotRun } from './arguments.ts'
import { perSecond } from './latencies.ts'
import type { Totals } from './meter.ts'
import { secondsUntilBack } from './scaling.ts'
import { seenOf, servicesIn, type Timeline } from './timeline.ts'

/** What a run has to show, in words: what can be expected stands in `forms`. */

export type Found = {
  timeline: Timeline
  totals: Totals
  /** Whether the load was ended before its time, so that what comes after it was not waited for. */
  isInterrupted: boolean
}

export type Verdict = {
  expected: string
  /** `open`: the run was ended before it could be said. */
  outcome: 'met' | 'missed' | 'open'
  /** What was found instead, or how well it was met. */
  why: string
}

type Judged = Omit<Verdict, 'expected'>

export type Expectation = {
  words: string
  needsCluster: boolean
  /** The one that it is about, if it names one. */
  service: string | undefined
  judge: (found: Found) => Judged
}

type Groups = Record<string, string | undefined>

type Form = {
  /** As the help shows it. */
  shown: string
  pattern: RegExp
  needsCluster: boolean
  judge: (groups: Groups, found: Found) => Judged
}

const SERVICE = '(?<service>[a-z][a-z0-9-]*)'
const COUNT = '(?<count>\\d+)'
const WITHIN = 'within (?<seconds>\\d+(?:\\.\\d+)?) ?s'

const forms: Form[] = [
  {
    shown: 'no request failed',
    pattern: /^no request failed$/,
    needsCluster: false,
    judge: (_, { totals }) => {
      return {
        outcome: metIf(totals.failed === 0),
        why: `${totals.failed} failed, ${totals.repeated} answers asked to repeat`,
      }
    },
  },
  {
    shown: 'p99 <= 500 ms',
    pattern: /^p(?<part>50|95|99) ?<= ?(?<limit>\d+(?:\.\d+)?) ?ms$/,
    needsCluster: false,
    judge: ({ part, limit }, { totals }) => {
      const ms = totals.ms?.[`p${part}` as 'p50' | 'p95' | 'p99'] ?? null
      return {
        outcome: metIf(ms !== null && ms <= Number(limit)),
        why: ms === null ? 'none was good' : `it was ${ms} ms`,
      }
    },
  },
  {
    shown: 'rate >= 40/s',
    pattern: /^rate ?>= ?(?<limit>\d+(?:\.\d+)?) ?\/ ?s$/,
    needsCluster: false,
    judge: ({ limit }, { totals, timeline }) => {
      const rate = perSecond(totals.good, timeline.overMs - timeline.beganMs)
      return { outcome: metIf(rate >= Number(limit)), why: `it was ${rate}/s` }
    },
  },
  {
    shown: 'users >= 4, users >= 4 within 30 s',
    pattern: new RegExp(`^${SERVICE} ?>= ?${COUNT}(?: ${WITHIN})?$`),
    needsCluster: true,
    judge: grew,
  },
  {
    shown: 'users <= 12',
    pattern: new RegExp(`^${SERVICE} ?<= ?${COUNT}$`),
    needsCluster: true,
    judge: ({ service = '', count }, { timeline }) => {
      const most = mostReady(timeline, service)
      return { outcome: metIf(most <= Number(count)), why: `${most} were ready at most` }
    },
  },
  {
    shown: 'users back to 0 within 120 s',
    pattern: new RegExp(`^${SERVICE} back to ${COUNT} ${WITHIN}$`),
    needsCluster: true,
    judge: cameBack,
  },
  {
    shown: 'first replica within 15 s, first replica of users within 15 s',
    pattern: new RegExp(`^first replica(?: of ${SERVICE})? ${WITHIN}$`),
    needsCluster: true,
    judge: cameFirst,
  },
]

export const expectationForms: string[] = forms.map(({ shown }) => shown)

/** `given`: a file, or the words themselves; one expectation a line, or between semicolons. */
export function readExpectations(given: string, hasCluster: boolean): Expectation[] {
  const words = (existsSync(given) ? readFileSync(given, 'utf8') : given).split(/[\n;]/)
  const said = words.map((one) => one.replace(/#.*/, '').trim()).filter((one) => one !== '')
  return said.map((one) => {
    const expectation = expectationOf(one)
    if (!expectation.needsCluster || hasCluster) return expectation
    throw new CannotRun(`"${one}" can only be expected of a cluster (--cluster)`)
  })
}

function expectationOf(words: string): Expectation {
  for (const { pattern, needsCluster, judge } of forms) {
    const match = pattern.exec(words)
    if (match === null) continue
    const groups: Groups = match.groups ?? {}
    return { words, needsCluster, service: groups['service'], judge: (found) => judge(groups, found) }
  }
  throw new CannotRun(`"${words}" is nothing that can be expected; these are: ${expectationForms.join('; ')}`)
}

export function judgeAll(expectations: readonly Expectation[], found: Found): Verdict[] {
  const known = servicesIn(found.timeline.samples)
  return expectations.map(({ words, service, judge }) => {
    if (service === undefined || known.includes(service)) return { expected: words, ...judge(found) }
    return { expected: words, outcome: 'missed', why: `there is no Deployment ${service}` }
  })
}

function grew({ service = '', count, seconds }: Groups, { timeline }: Found): Judged {
  const first = firstReadySeconds(timeline, service, Number(count))
  if (first === null) return { outcome: 'missed', why: `${mostReady(timeline, service)} were ready at most` }
  return {
    outcome: metIf(seconds === undefined || first <= Number(seconds)),
    why: `after ${first.toFixed(1)} s`,
  }
}

function cameBack({ service = '', count, seconds }: Groups, found: Found): Judged {
  const back = secondsUntilBack(found.timeline, service, Number(count))
  if (back !== null) return { outcome: metIf(back <= Number(seconds)), why: `after ${back.toFixed(1)} s` }
  if (found.isInterrupted) return { outcome: 'open', why: 'the run was ended before' }
  const last = seenOf(found.timeline.samples, service).at(-1)
  return { outcome: 'missed', why: `${last?.ready ?? 0} were ready when the watch ended` }
}

/** One more than there were, of any service where none is named. */
function cameFirst({ service, seconds }: Groups, { timeline }: Found): Judged {
  const services = service === undefined ? servicesIn(timeline.samples) : [service]
  const firsts = services.flatMap((one) => {
    const before = seenOf(timeline.samples, one).findLast(({ atMs }) => atMs <= timeline.beganMs)?.ready ?? 0
    return firstReadySeconds(timeline, one, before + 1) ?? []
  })
  if (firsts.length === 0) return { outcome: 'missed', why: 'none came' }
  const first = Math.min(...firsts)
  return { outcome: metIf(first <= Number(seconds)), why: `after ${first.toFixed(1)} s` }
}

function firstReadySeconds({ samples, beganMs }: Timeline, service: string, count: number): number | null {
  const first = seenOf(samples, service).find(({ atMs, ready }) => atMs >= beganMs && ready >= count)
  return first === undefined ? null : (first.atMs - beganMs) / 1000
}

function mostReady({ samples }: Timeline, service: string): number {
  return seenOf(samples, service).reduce((most, { ready }) => Math.max(most, ready), 0)
}

function metIf(isSo: boolean): 'met' | 'missed' {
  return isSo ? 'met' : 'missed'
}
