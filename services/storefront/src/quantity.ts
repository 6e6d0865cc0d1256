import { QUANTITY_MAX, quantity } from '@tideshop/contracts/pricing'
import { type Html, html } from './html.ts'

/** Pieces of one good, as a field of a form. */
export function quantityField(id: string, value: number | string): Html {
  return html`<input id="${id}" name="quantity" type="number" min="1" max="${QUANTITY_MAX}" step="1" required value="${value}">`
}

/** Undefined when it is no quantity: `Number` would take an empty field for 0, and `1e2` for a hundred. */
export function quantityIn(written = ''): number | undefined {
  return /^\d+$/.test(written.trim()) ? quantity.safeParse(Number(written)).data : undefined
}
