import type { Baskets } from '../src/baskets.ts'
import type { Catalog } from '../src/catalog.ts'
import type { FailureTable } from '../src/failures.ts'
import type { Operations } from '../src/operations.ts'
import type { Orders } from '../src/orders.ts'
import type { Prices } from '../src/prices.ts'
import type { DayReports } from '../src/reports.ts'
import type { Stock } from '../src/stock.ts'
import type { Storefront } from '../src/storefront.ts'

const nobody = () => Promise.reject(new Error('nobody was to be asked'))

/** Services that must not be asked, for a test that is about another one. */
export const askNobody: {
  operations: Operations
  catalog: Catalog
  baskets: Baskets
  orders: Orders
  prices: Prices
  reports: DayReports
  failures: FailureTable
  stock: Stock
  storefront: Storefront
} = {
  operations: { create: nobody, find: nobody },
  catalog: {
    goods: nobody,
    good: nobody,
    named: nobody,
    picture: nobody,
    categories: nobody,
    sales: nobody,
    putGood: nobody,
    putSale: nobody,
  },
  baskets: { find: nobody, change: nobody },
  orders: { place: nobody, find: nobody, list: nobody, cancel: nobody, advance: nobody },
  prices: { quote: nobody },
  reports: { list: nobody },
  failures: { list: nobody, settle: nobody },
  stock: { read: nobody, deliver: nobody },
  storefront: { page: nobody },
}
