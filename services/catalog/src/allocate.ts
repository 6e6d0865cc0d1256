import type { GoodView } from '@tideshop/contracts/catalog'
import type { OrderStock } from '@tideshop/contracts/orders'
import { changeAll, type Rows } from '@tideshop/kit/aggregates'
import { crashPoint } from '@tideshop/kit/crash-point'
import type { Result } from '@tideshop/kit/inbox'
import type { Log } from '@tideshop/kit/telemetry'
import {
  type Allocation,
  answerTo,
  goodsOf,
  hearAsk,
  isIntent,
  noteOutcome,
  type Outcome,
  skusOf,
} from './allocation.ts'
import { type Allowance, giveBackAllowance, takeAllowance } from './allowance.ts'
import type { AskStock } from './stock-turns.ts'

/**
 * A batch of asks: what they want is written down, then the actors of all goods are asked, then what came of it is written
 * down; and once more, since what was refused has to be given back. Orders go side by side, the asks of one order one after the
 * other. What could not be brought to rest comes again, with the batch.
 */
export type AllocateParts = {
  allocations: Rows<Allocation>
  allowances: Rows<Allowance>
  askStock: AskStock
  /** Those that there are, with the sales that run. */
  goodsNamed: (skus: readonly string[]) => Promise<readonly GoodView[]>
  log: Log
  now: () => Date
}

/** Confirming, then giving back; one more where another replica was faster. */
const PASSES_MAX = 3

export async function allocate(parts: AllocateParts, asks: readonly OrderStock[]): Promise<Result[]> {
  const { allocations, now } = parts
  const goods = await goodsAskedFor(parts, asks)
  await changeAll(allocations, asks, orderOf, (current, ask) => hearAsk(current, ask, goods, now()))

  const ids = [...new Set(asks.map(orderOf))]
  for (let pass = 0; pass < PASSES_MAX; pass += 1) {
    if (!(await goOn(parts, ids))) break
  }
  const standing = new Map((await allocations.read(ids)).map(({ id, body }) => [id, body]))
  return asks.map((ask) => resultOf(standing.get(orderOf(ask)), ask))
}

function orderOf({ data }: OrderStock): string {
  return data.orderId
}

async function goodsAskedFor(
  { goodsNamed }: AllocateParts,
  asks: readonly OrderStock[],
): Promise<Map<string, GoodView>> {
  const skus = asks.flatMap(({ data }) => (data.ask === 'reserve' ? data.lines.map(({ sku }) => sku) : []))
  const goods = skus.length === 0 ? [] : await goodsNamed([...new Set(skus)])
  return new Map(goods.map((good) => [good.sku, good]))
}

function resultOf(allocation: Allocation | undefined, { data }: OrderStock): Result {
  const answer = allocation === undefined ? null : answerTo(allocation, data.ask)
  return answer === null ? { outcome: 'again' } : { outcome: 'done', tell: [answer] }
}

/** Returns whether anything was brought further. */
async function goOn(parts: AllocateParts, ids: readonly string[]): Promise<boolean> {
  const { allocations, now } = parts
  const open = (await allocations.read(ids)).map(({ body }) => body).filter(isIntent)
  if (open.length === 0) return false
  crashPoint('allocation.intended')
  const outcomes = await outcomesOf(parts, open)
  crashPoint('allocation.asked')
  await changeAll(
    allocations,
    outcomes,
    ({ id }) => id,
    (current, outcome) => noteOutcome(current, outcome, now()),
  )
  return outcomes.length > 0
}

async function outcomesOf(parts: AllocateParts, open: readonly Allocation[]): Promise<Outcome[]> {
  const denied = await takeAllowances(parts, open)
  const outcomes = await Promise.all(
    open.map((allocation) => outcomeOf(parts, allocation, denied.get(allocation.id))),
  )
  return giveBackAllowances(
    parts,
    open,
    outcomes.filter((outcome) => outcome !== null),
  )
}

/** Why an order may not have what it reserves, by order; 'again': not known yet. */
type Denied = { reason: string } | 'again'

async function takeAllowances(
  { allowances }: AllocateParts,
  open: readonly Allocation[],
): Promise<Map<string, Denied>> {
  const takes = open
    .filter(({ stage }) => stage === 'reserving')
    .flatMap((allocation) =>
      goodsOf(allocation).flatMap(({ name, count, allowance }) =>
        allowance === undefined ? [] : { ...allowance, orderId: allocation.id, pieces: count, name },
      ),
    )
  const results = await changeAll(allowances, takes, ({ id }) => id, takeAllowance)
  const denied = new Map<string, Denied>()
  for (const [index, { orderId, name }] of takes.entries()) {
    const result = results[index] as Result
    if (result.outcome === 'dead') denied.set(orderId, { reason: `${name}: ${result.reason}` })
    if (result.outcome === 'again' && !denied.has(orderId)) denied.set(orderId, 'again')
  }
  return denied
}

/** Null when it is not known yet. */
async function outcomeOf(
  parts: AllocateParts,
  allocation: Allocation,
  denied: Denied | undefined,
): Promise<Outcome | null> {
  const { id, stage } = allocation
  if (denied === 'again') return null
  if (denied !== undefined) return { id, stage, no: { reason: denied.reason, giveBack: [] } }
  try {
    const no =
      allocation.stage === 'giving-back'
        ? await releaseAll(parts, allocation)
        : await takeAll(parts, allocation)
    return { id, stage, ...(no && { no }) }
  } catch (error) {
    parts.log.warn({ err: error, orderId: id, stage }, 'an allocation has to wait')
    return null
  }
}

/** Reserves or confirms one good after the other; the first no ends it. */
async function takeAll({ askStock }: AllocateParts, allocation: Allocation): Promise<Outcome['no'] | null> {
  const { id } = allocation
  const skus = skusOf(allocation)
  for (const { sku, name, count } of goodsOf(allocation)) {
    if (allocation.stage === 'reserving') {
      const answer = await askStock(sku, 'reserve', { id, count, ttlMs: allocation.ttlMs })
      // Also those behind it, which an earlier try may have reserved; but not the one that has nothing: a crowd of refused orders
      // would only crowd out what its actor remembers.
      const giveBack = skus.filter((one) => one !== sku)
      if ('refusal' in answer) return { reason: `${name}: ${answer.refusal.message}`, giveBack }
    } else {
      const answer = await askStock(sku, 'confirm', { id })
      if ('refusal' in answer) return { reason: `${name}: it was reserved for too long`, giveBack: skus }
    }
    crashPoint('allocation.asking')
  }
  return null
}

async function releaseAll(
  { askStock, log }: AllocateParts,
  allocation: Extract<Allocation, { stage: 'giving-back' }>,
): Promise<null> {
  const { id, skus, sold } = allocation
  for (const { sku, count } of goodsOf(allocation).filter((good) => skus.includes(good.sku))) {
    const answer = await askStock(sku, 'release', { id, ...(sold && { sold: count }) })
    // The books and the actor disagree. Asking for ever would hold up every other order.
    if ('refusal' in answer) log.error({ orderId: id, sku, ...answer.refusal }, 'not given back')
    crashPoint('allocation.asking')
  }
  return null
}

/** Of the orders whose pieces are back. Who could not give back is left out of the answer. */
async function giveBackAllowances(
  { allowances }: AllocateParts,
  open: readonly Allocation[],
  outcomes: readonly Outcome[],
): Promise<Outcome[]> {
  const back = new Set(outcomes.filter(({ stage }) => stage === 'giving-back').map(({ id }) => id))
  const returns = open
    .filter(({ id }) => back.has(id))
    .flatMap((allocation) =>
      goodsOf(allocation).flatMap(({ allowance }) =>
        allowance === undefined ? [] : { id: allowance.id, orderId: allocation.id },
      ),
    )
  const results = await changeAll(allowances, returns, ({ id }) => id, giveBackAllowance)
  const late = returns.filter((_, index) => results[index]?.outcome !== 'done')
  return outcomes.filter(({ id }) => !late.some(({ orderId }) => orderId === id))
}
