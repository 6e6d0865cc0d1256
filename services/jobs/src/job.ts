import type { LowGood } from '@tideshop/contracts/catalog'
import { LOW_GOODS_MAX, type LowStock } from '@tideshop/contracts/jobs'
import { EXPIRED_AT_ONCE_MAX } from '@tideshop/contracts/orders'
import { dayOf, daysToCount, type Reports } from './report.ts'
import type { Shop } from './shop.ts'

/** What the shop does by the clock. Each may run at any time, as often as anybody likes, and beside itself. */

export type JobParts = {
  shop: Shop
  reports: Reports
  /** Pieces: goods with less are short. */
  lowBelow: number
  now: () => Date
}

/** Times that orders are asked for more within one call: 10,000 orders. What is left waits for the next. */
const ROUNDS_MAX = 20
/** Goods of one page, each a turn of its actor, all within the one second of a call; and pages of a restock report: 10,000 goods. */
const GOODS_EACH = 25
const GOODS_PAGES_MAX = 400

/** Orders says which are due, and expires none twice. */
export async function expireOrders({ shop }: JobParts): Promise<{ expired: number }> {
  let expired = 0
  for (let round = 0; round < ROUNDS_MAX; round += 1) {
    const now = await shop.expireOrders()
    expired += now
    if (now < EXPIRED_AT_ONCE_MAX) break
  }
  return { expired }
}

/** Asks anew for each day that may have changed; the store keeps what was taken last. */
export async function reportDays({ shop, reports, now }: JobParts): Promise<{ days: string[] }> {
  const days = daysToCount(await reports.newest('orders'), now())
  for (const day of days) {
    const takenAt = now().toISOString()
    await reports.keep(day, 'orders', { takenAt, ...(await shop.statisticsOf(day)) })
  }
  return { days }
}

/** Of today once, by what is kept and not by the clock: a night that was missed is made up for in the morning. */
export async function restockOnce(parts: JobParts): Promise<{ taken: boolean }> {
  if ((await parts.reports.newest('lowStock')) === dayOf(parts.now())) return { taken: false }
  await takeLowStock(parts)
  return { taken: true }
}

export async function takeLowStock({ shop, reports, lowBelow: below, now }: JobParts): Promise<LowStock> {
  const at = now()
  const { goods, isWhole } = await lowGoods(shop, below)
  const taken: LowStock = { takenAt: at.toISOString(), below, goods, isWhole }
  await reports.keep(dayOf(at), 'lowStock', taken)
  return taken
}

async function lowGoods(shop: Shop, below: number): Promise<{ goods: LowGood[]; isWhole: boolean }> {
  const goods: LowGood[] = []
  let after: string | undefined
  for (let page = 0; page < GOODS_PAGES_MAX && goods.length <= LOW_GOODS_MAX; page += 1) {
    const found = await shop.lowStock({ below, after, limit: GOODS_EACH })
    goods.push(...found.goods)
    if (found.next === null) {
      return { goods: goods.slice(0, LOW_GOODS_MAX), isWhole: goods.length <= LOW_GOODS_MAX }
    }
    after = found.next
  }
  return { goods: goods.slice(0, LOW_GOODS_MAX), isWhole: false }
}
