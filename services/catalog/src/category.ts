/** Goods stand in one category each. They are few and belong to the shop's assortment, not to an administrator. */
export type Category = { id: string; name: string }
