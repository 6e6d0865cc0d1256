import { writeFile } from 'node:fs/promises'
import type { Replica } from '@tideshop/run/replica'
import type { Shop } from '@tideshop/run/shop'
import { SAGA } from '@tideshop/run/shop'
import { readArguments, wholeNumber } from '../src/arguments.ts'
import { closedLoop, type Target } from '../src/closed-loop.ts'
import { type Latencies, latencies, perSecond, tellLatencies } from '../src/latencies.ts'
import { BrokenRun } from './broken-run.ts'
import { type EndedOperation, makeEndedOperation } from './ended-operation.ts'
import { describeMachine } from './machine.ts'
import { withOwnShop } from './own-shop.ts'
import { between, groups, type Member, membersOf, type PerGroup, perGroup, readUsage } from './processes.ts'
import { type Figures, rounded, spreadsOf } from './statistics.ts'
import { tellMachine } from './tell.ts'

/**
 * The price of each layer between a caller and a service: the same operation is read by the same callers through
 * fewer and fewer of them. The ways take turns in rounds, so that whatever else the machine does hits all alike.
 */
export const summary = 'one request through gateway and two sidecars, and what each layer costs'

const REQUESTS_MAX = 2_000_000
const CALLERS_MAX = 500
const ROUNDS_MAX = 100
/** Requests by each way before the clock starts. */
const WARM_UP_MAX = 2000

export const help = `pnpm bench http [options]: reads one operation, over and over, on a shop of its own

  --requests N  by each way (default 100000, at most ${REQUESTS_MAX})
  --callers N   who each ask again as soon as they are answered (default 50, at most ${CALLERS_MAX})
  --rounds N    in which the ways take turns; each figure is the median over them (default 10)
  --json FILE   everything that was measured

Ways: gateway (front door → its sidecar → the sidecar of operations → operations), twoSidecars (the same without the
gateway's app), oneSidecar (that of operations alone), express (operations alone).
Ends with 1 when an answer by any way was not the operation.`

type Way = 'gateway' | 'twoSidecars' | 'oneSidecar' | 'express'
type HttpPlan = { requests: number; callers: number; rounds: number }
type Round = { ms: number[]; good: number; asked: number; tookMs: number }
type WayRound = Round & { way: Way; cpuSeconds: PerGroup }

export async function run(args: string[], stop: AbortSignal): Promise<boolean> {
  const { plan, json } = readPlan(args)
  const machine = await describeMachine('disk')
  console.log('opens a shop')
  const rounds = await withOwnShop({ database: 'disk', only: SAGA }, stop, (shop) =>
    measure(shop, plan, stop),
  )

  const figures = rounds.map(figuresOf)
  console.log(`\n${[...byWay(rounds)].map(([way, its]) => tellWay(way, its)).join('\n')}`)
  console.log(`\n${tellMachine(machine)}`)
  if (json !== undefined) {
    const pooled = Object.fromEntries([...byWay(rounds)].map(([way, its]) => [way, pooledLatencies(its)]))
    const result = {
      bench: 'http',
      measuredAt: new Date().toISOString(),
      plan,
      machine,
      pooled,
      runs: figures,
    }
    await writeFile(json, `${JSON.stringify({ ...spreadsOf(figures), ...result }, null, 1)}\n`)
  }
  return rounds.every(({ good, asked }) => good === asked)
}

function readPlan(args: string[]): { plan: HttpPlan; json: string | undefined } {
  const { values } = readArguments({
    args,
    options: {
      requests: { type: 'string', default: '100000' },
      callers: { type: 'string', default: '50' },
      rounds: { type: 'string', default: '10' },
      json: { type: 'string' },
    },
  })
  const plan = {
    requests: wholeNumber('requests', values.requests, REQUESTS_MAX),
    callers: wholeNumber('callers', values.callers, CALLERS_MAX),
    rounds: wholeNumber('rounds', values.rounds, ROUNDS_MAX),
  }
  return { plan, json: values.json }
}

async function measure(shop: Shop, plan: HttpPlan, stop: AbortSignal): Promise<WayRound[]> {
  const members = membersOf(shop)
  const ways = waysTo(shop, await makeEndedOperation(shop, stop))
  const perRound = Math.ceil(plan.requests / plan.rounds)
  for (const target of Object.values(ways)) {
    await ask(target, Math.min(WARM_UP_MAX, perRound), plan.callers, stop)
  }
  const rounds: WayRound[] = []
  for (let nth = 1; nth <= plan.rounds; nth += 1) {
    const these: WayRound[] = []
    for (const [way, target] of Object.entries(ways) as [Way, Target][]) {
      these.push(await oneRound(way, target, perRound, { callers: plan.callers, members, stop }))
    }
    rounds.push(...these)
    const told = these.map(({ way, asked, tookMs }) => `${way} ${perSecond(asked, tookMs)}/s`)
    console.log(`round ${nth}/${plan.rounds}: ${told.join(' · ')}`)
  }
  return rounds
}

async function oneRound(
  way: Way,
  target: Target,
  count: number,
  { callers, members, stop }: { callers: number; members: readonly Member[]; stop: AbortSignal },
): Promise<WayRound> {
  const before = readUsage(members).cpuSeconds
  const round = await ask(target, count, callers, stop)
  return { ...round, way, cpuSeconds: between(before, readUsage(members).cpuSeconds) }
}

/** Once each: here an answer that asks to be asked again is a bad one. */
async function ask(target: Target, requests: number, callers: number, stop: AbortSignal): Promise<Round> {
  const round: Round = { ms: [], good: 0, asked: requests, tookMs: 0 }
  const startedAt = performance.now()
  const crowd = { requests, callers, patienceMs: 0, repeated: () => undefined }
  const heard = (ms: number, isGood: boolean) => {
    round.ms.push(ms)
    if (isGood) round.good += 1
  }
  await closedLoop(target, crowd, heard, stop)
  round.tookMs = performance.now() - startedAt
  stop.throwIfAborted()
  return round
}

function waysTo(shop: Shop, { operationId }: EndedOperation): Record<Way, Target> {
  const [operations, gateway] = [first(shop, 'operations'), first(shop, 'apigateway')]
  const local = (port: number) => `http://127.0.0.1:${port}`
  const own = `/operation/get?uuid=${operationId}`
  const invoke = `/v1.0/invoke/operations/method${own}`
  const holds = operationId
  return {
    gateway: { origin: shop.url, path: `/operation/get/${operationId}`, holds },
    twoSidecars: { origin: local(gateway.daprHttpPort), path: invoke, holds },
    oneSidecar: { origin: local(operations.daprHttpPort), path: invoke, holds },
    express: { origin: local(operations.appPort), path: own, holds },
  }
}

function first(shop: Shop, appId: string): Replica {
  const [replica] = shop.replicas(appId)
  if (replica === undefined) throw new BrokenRun(`${appId} does not run`)
  return replica
}

function byWay(rounds: readonly WayRound[]): Map<Way, WayRound[]> {
  return Map.groupBy(rounds, ({ way }) => way)
}

function pooledLatencies(rounds: readonly WayRound[]): Latencies | null {
  return latencies(rounds.flatMap(({ ms }) => ms))
}

function figuresOf({ way, ms, good, asked, tookMs, cpuSeconds }: WayRound): Figures {
  const measured = latencies(ms)
  const cost = perGroup((group) => (cpuSeconds[group] * 1000) / asked)
  return {
    [`${way}PerSecond`]: perSecond(asked, tookMs),
    [`${way}P50Ms`]: measured?.p50 ?? null,
    [`${way}P99Ms`]: measured?.p99 ?? null,
    [`${way}SuccessShare`]: good / asked,
    ...Object.fromEntries(groups.map((group) => [`${way}${capital(group)}CpuMs`, rounded(cost[group])])),
  }
}

function capital(word: string): string {
  return word.slice(0, 1).toUpperCase() + word.slice(1)
}

/** Of all rounds together. */
function tellWay(way: Way, rounds: readonly WayRound[]): string {
  const sum = (of: (round: WayRound) => number) => rounds.reduce((total, round) => total + of(round), 0)
  const [asked, good] = [sum((round) => round.asked), sum((round) => round.good)]
  const rate = perSecond(
    asked,
    sum(({ tookMs }) => tookMs),
  )
  const success = `${((good * 100) / asked).toFixed(good === asked ? 0 : 3)} %`
  return `${way.padEnd(12)} ${String(rate).padStart(8)}/s · ${tellLatencies(pooledLatencies(rounds))} · ${success} good`
}
