import type { Row, Rows } from '@tideshop/kit/aggregates'
import { atTheDoor, type MongoRow, mongoRows } from '@tideshop/kit/mongo'
import { Refusal } from '@tideshop/kit/refusal'
import type { Collection, Db, Filter, Sort } from 'mongodb'
import type { Allocation } from './allocation.ts'
import type { Allowance } from './allowance.ts'
import type { Good } from './good.ts'
import type { Sale } from './sale.ts'

/** Milliseconds of the database's share in the one second that the door gives a call. */
const DOOR_TIMEOUT_MS = 700
/** Sales of one good at the same time that are looked at for the best price. */
const SALES_EACH_MAX = 10

/** What is wanted of a list: up to `max`, whose ids come after this one. */
export type Part = { after?: string | undefined; max: number }

export type CatalogStore = {
  /** In the order of their ids. All `words` are in it, or longer words that begin so. */
  goods: (wanted: Part & { category?: string | undefined; words: readonly string[] }) => Promise<Row<Good>[]>
  good: (sku: string) => Promise<Row<Good> | null>
  /** Those that there are, in any order. */
  named: (skus: readonly string[]) => Promise<readonly Row<Good>[]>
  /** Not over yet, in the order of their ids. */
  sales: (wanted: Part, now: Date) => Promise<Row<Sale>[]>
  /** Of these goods, those that run. */
  runningSales: (skus: readonly string[], now: Date) => Promise<Row<Sale>[]>
  /** Returns what became of it. Pure, `decide` may run for nothing: another change may come first, which is a refusal. */
  changeGood: (sku: string, decide: (current: Row<Good> | null) => Good) => Promise<Row<Good>>
  changeSale: (id: string, decide: (current: Row<Sale> | null) => Sale) => Promise<Row<Sale>>
  /** Adds what is not there, and leaves alone what is. */
  open: (goods: readonly Row<Good>[], sales: readonly Row<Sale>[]) => Promise<void>
}

export function mongoCatalog(db: Db): CatalogStore & { prepare: () => Promise<void> } {
  const goods = db.collection<MongoRow<Good>>('goods')
  const sales = db.collection<MongoRow<Sale>>('sales')

  return {
    async prepare() {
      await goods.createIndexes([
        { key: { 'body.category': 1, _id: 1 }, name: 'category' },
        { key: { 'body.words': 1, _id: 1 }, name: 'words' },
      ])
      await sales.createIndexes([
        { key: { 'body.endsAt': 1 }, name: 'end' },
        { key: { 'body.sku': 1, 'body.endsAt': 1 }, name: 'good' },
      ])
    },

    goods: ({ category, words, ...part }) =>
      partOf(goods, part, {
        ...(category !== undefined && { 'body.category': category }),
        ...(words.length > 0 && { $and: words.map((word) => ({ 'body.words': beginningWith(word) })) }),
      }),
    good: (sku) => one(goods, sku),
    named: (skus) => atTheDoor(mongoRows(goods).read(skus), DOOR_TIMEOUT_MS, false),
    sales: (part, now) => partOf(sales, part, { 'body.endsAt': { $gt: now.toISOString() } }),
    runningSales(skus, now) {
      const time = now.toISOString()
      const running = {
        'body.sku': { $in: [...skus] },
        'body.startsAt': { $lte: time },
        'body.endsAt': { $gt: time },
      }
      return partOf(sales, { max: SALES_EACH_MAX * skus.length }, running)
    },
    changeGood: (sku, decide) => change(mongoRows(goods), sku, decide),
    changeSale: (id, decide) => change(mongoRows(sales), id, decide),
    async open(newGoods, newSales) {
      await mongoRows(goods).write(newGoods.map((row) => ({ ...row, was: 0 })))
      await mongoRows(sales).write(newSales.map((row) => ({ ...row, was: 0 })))
    },
  }
}

export function mongoAllocations(db: Db): Rows<Allocation> {
  return mongoRows(db.collection<MongoRow<Allocation>>('allocations'))
}

export function mongoAllowances(db: Db): Rows<Allowance> {
  return mongoRows(db.collection<MongoRow<Allowance>>('allowances'))
}

/** As a range and not as a pattern: an index has the words in their order. */
function beginningWith(word: string) {
  return { $elemMatch: { $gte: word, $lt: `${word}\uffff` } }
}

async function partOf<S>(
  collection: Collection<MongoRow<S>>,
  { after, max }: Part,
  filter: object,
): Promise<Row<S>[]> {
  const wanted = { ...filter, ...(after !== undefined && { _id: { $gt: after } }) } as Filter<MongoRow<S>>
  const byId: Sort = { _id: 1 }
  const rows = await atTheDoor(
    collection.find(wanted).sort(byId).limit(max).toArray(),
    DOOR_TIMEOUT_MS,
    false,
  )
  return rows.map(({ _id, version, body }) => ({ id: _id, version, body: body as S }))
}

async function one<S>(collection: Collection<MongoRow<S>>, id: string): Promise<Row<S> | null> {
  const [row] = await atTheDoor(mongoRows(collection).read([id]), DOOR_TIMEOUT_MS, false)
  return row ?? null
}

/** The one place where something is changed by hand: whoever was slower is told so, and looks again. */
export async function change<S>(
  rows: Rows<S>,
  id: string,
  decide: (current: Row<S> | null) => S,
): Promise<Row<S>> {
  const [current = null] = await atTheDoor(rows.read([id]), DOOR_TIMEOUT_MS, false)
  const body = decide(current)
  if (body === current?.body) return current
  const was = current?.version ?? 0
  const lost = await atTheDoor(rows.write([{ id, was, version: was + 1, body }]), DOOR_TIMEOUT_MS, true)
  if (lost.size > 0) throw new Refusal('conflict', 'somebody else has just changed it')
  return { id, version: was + 1, body }
}
