import type { OrderStatus, OrderView } from '@tideshop/contracts/orders'
import { type Html, html } from './html.ts'

/** How the shop writes what services say in numbers and names. */

const money = new Intl.NumberFormat('en-IE', { style: 'currency', currency: 'EUR' })
const day = new Intl.DateTimeFormat('en-GB', { dateStyle: 'long', timeZone: 'UTC' })
const moment = new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium', timeStyle: 'short', timeZone: 'UTC' })

export function euros(cents: number): string {
  return money.format(cents / 100)
}

export function onDay(at: string): Html {
  return html`<time datetime="${at}">${day.format(new Date(at))}</time>`
}

export function atMoment(at: string): Html {
  return html`<time datetime="${at}">${moment.format(new Date(at))} UTC</time>`
}

/** `4242 4242 4242 4242`. */
export function inFours(digits: string): string {
  return digits.replace(/\d{4}(?=\d)/g, '$& ')
}

export const statusWords: Record<OrderStatus, string> = {
  reserving: 'We are fetching your goods from the shelf',
  paying: 'We are waiting for the payment',
  confirming: 'Paid; we are tying the last knot',
  confirmed: 'Ordered and paid',
  packed: 'Packed',
  shipped: 'On its way to you',
  delivered: 'Delivered',
  refunding: 'Your money is on its way back',
  releasing: 'Your goods go back to the shelf',
  cancelled: 'Cancelled',
}

/** What happens next without anybody doing anything: who looks will soon see something else. */
export const UNDER_WAY: ReadonlySet<OrderStatus> = new Set([
  'reserving',
  'paying',
  'confirming',
  'refunding',
  'releasing',
])

export const stepWords: Record<OrderView['timeline'][number]['step'], string> = {
  placed: 'Order placed',
  'stock-reserved': 'Goods put aside for you',
  'stock-refused': 'The shelf had too few',
  priced: 'Price reckoned',
  'price-refused': 'The price was not the agreed one',
  paid: 'Paid',
  declined: 'Payment declined',
  'stock-confirmed': 'The goods are yours',
  'stock-lost': 'The goods were given to somebody else',
  'invoice-asked': 'Invoice is being written',
  packed: 'Packed',
  shipped: 'Shipped',
  delivered: 'Delivered',
  'cancel-asked': 'Cancellation asked for',
  expired: 'Not paid in time',
  refunded: 'Money given back',
  'stock-released': 'Goods back on the shelf',
  cancelled: 'Cancelled',
}
