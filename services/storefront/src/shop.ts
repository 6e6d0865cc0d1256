import type { Baskets } from '@tideshop/clients/baskets'
import type { Catalog } from '@tideshop/clients/catalog'
import type { Orders } from '@tideshop/clients/orders'
import type { Prices } from '@tideshop/clients/prices'
import type { AskForPage, Page } from '@tideshop/contracts/storefront'

/** Whom the pages ask. */
export type Shop = { catalog: Catalog; baskets: Baskets; orders: Orders; prices: Prices; now: () => Date }

/** What is shown at one address. `name` is what stands there for the `*`. Throws the refusal that the visitor should read. */
export type Show = (shop: Shop, asked: AskForPage, name: string) => Promise<Page>
