import type { BasketChange, BasketView } from '@tideshop/contracts/basket'
import { LINES_MAX } from '@tideshop/contracts/pricing'
import { Refusal } from '@tideshop/kit/refusal'

/** In the order in which its lines were begun. Kept as it is shown. */
export type Basket = BasketView
type Line = Basket['lines'][number]

export const emptyBasket: Basket = { lines: [], voucherCodes: [] }

/** Pure, and runs again when somebody else was faster. Throws a `Refusal` when there is no room. */
export function changeBasket(current: Basket, change: BasketChange): Basket {
  switch (change.kind) {
    case 'put-line':
      return { ...current, lines: withLine(current.lines, { sku: change.sku, quantity: change.quantity }) }
    case 'remove-line':
      return { ...current, lines: current.lines.filter(({ sku }) => sku !== change.sku) }
    case 'put-vouchers':
      return { ...current, voucherCodes: change.voucherCodes }
    case 'take-ordered':
      return { lines: current.lines.filter((line) => !isIn(change.lines, line)), voucherCodes: [] }
    case 'clear':
      return emptyBasket
  }
}

function withLine(lines: readonly Line[], line: Line): Line[] {
  if (lines.some(({ sku }) => sku === line.sku))
    return lines.map((one) => (one.sku === line.sku ? line : one))
  if (lines.length >= LINES_MAX) throw new Refusal('conflict', `a basket has room for ${LINES_MAX} goods`)
  return [...lines, line]
}

function isIn(lines: readonly Line[], { sku, quantity }: Line): boolean {
  return lines.some((one) => one.sku === sku && one.quantity === quantity)
}
