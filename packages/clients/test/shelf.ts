import type { GoodView } from '@tideshop/contracts/catalog'
import { Refusal } from '@tideshop/kit/refusal'
import type { Catalog } from '../src/catalog.ts'

export const lantern: GoodView = {
  sku: 'LMP-0101',
  name: 'Harbour Lantern, brass',
  description: 'A storm lantern.',
  category: 'lamps',
  priceCents: 5190,
  picture: '/api/goods/LMP-0101/picture.svg',
  version: 1,
}

/** A catalog with these goods, which remembers what it was asked. */
export function shelfOf(goods: readonly GoodView[]): Catalog & { asked: unknown[] } {
  const asked: unknown[] = []
  const good = async (sku: string): Promise<GoodView> => {
    asked.push(sku)
    const found = goods.find((one) => one.sku === sku)
    if (found === undefined) throw new Refusal('not-found', `there is no good ${sku}`)
    return found
  }
  return {
    asked,
    good,
    async named(skus) {
      asked.push(skus)
      return { goods: goods.filter(({ sku }) => skus.includes(sku)) }
    },
    async goods(wanted) {
      asked.push(wanted)
      return { goods: [...goods], next: null }
    },
    picture: async (sku) =>
      `<svg xmlns="http://www.w3.org/2000/svg"><title>${(await good(sku)).name}</title></svg>`,
    categories: async () => ({ categories: [{ id: 'lamps', name: 'Lamps' }] }),
    async sales(wanted) {
      asked.push(wanted)
      return { sales: [], next: null }
    },
    putGood: () => Promise.reject(new Error('nothing is put on this shelf')),
    putSale: () => Promise.reject(new Error('nothing is put on this shelf')),
  }
}
