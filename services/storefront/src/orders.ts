import { queryOf } from '@tideshop/clients/query'
import { listOrders, type OrderView, orderId } from '@tideshop/contracts/orders'
import type { AskForPage, Page } from '@tideshop/contracts/storefront'
import { statusOf } from '@tideshop/kit/http'
import { parse, Refusal } from '@tideshop/kit/refusal'
import { sums } from './basket.ts'
import { type Fill, type Html, html } from './html.ts'
import { complaint, pageOf } from './layout.ts'
import type { Shop } from './shop.ts'
import { atMoment, euros, statusWords, stepWords, UNDER_WAY } from './words.ts'

/** Orders on one page. */
const ORDERS_SHOWN = 20
/** Seconds until the browser looks again what became of an order, and when it is older than `YOUNG_MS`. */
const REFRESH_S = 2
const REFRESH_OLD_S = 20
const YOUNG_MS = 60_000

export async function showOrders({ orders }: Shop, asked: AskForPage): Promise<Page> {
  const { customerId, query } = asked
  const after = query['after'] === undefined ? {} : { after: query['after'] }
  const wanted = parse(listOrders, { limit: ORDERS_SHOWN, ...after }, 'query')
  // Never without a customer: that is how the shop itself asks for everybody's.
  const page =
    customerId === undefined ? { orders: [], next: null } : await orders.list({ customerId, ...wanted })
  const more =
    page.next !== null &&
    html`<p class="more"><a href="/orders${queryOf({ after: page.next })}">Older orders</a></p>`
  return pageOf(asked, {
    title: 'My orders',
    main: html`<h1>My orders</h1>
${page.orders.length === 0 ? html`<p>Nothing has been ordered here yet. <a href="/">To the goods</a></p>` : table(page.orders)}
${more}`,
  })
}

function table(orders: readonly OrderView[]): Html {
  return html`<table><thead><tr><th scope="col">Ordered</th><th scope="col">What</th><th scope="col">Now</th><th scope="col">Total</th></tr></thead>
<tbody>${orders.map(
    ({ id, placedAt, lines, status, quote }) => html`<tr>
<td><a href="/orders/${id}">${atMoment(placedAt)}</a></td>
<td>${lines.map(({ quantity, name, sku }) => `${quantity} × ${name ?? sku}`).join(', ')}</td>
<td>${statusWords[status]}</td>
<td class="number">${quote === null ? 'not yet known' : euros(quote.totalCents)}</td>
</tr>`,
  )}</tbody></table>`
}

export async function showOrder({ orders, now }: Shop, asked: AskForPage, name: string): Promise<Page> {
  return orderPage(asked, await orders.find(ownOrder(asked, name)), now())
}

/** As often as somebody says so: an order is cancelled once. */
export async function cancelOrder({ orders, now }: Shop, asked: AskForPage, name: string): Promise<Page> {
  const own = ownOrder(asked, name)
  if (asked.form['do'] !== 'cancel') throw new Refusal('not-found', 'there is no such form')
  try {
    await orders.cancel({ ...own, traceparent: asked.traceparent })
    return { location: `/orders/${own.id}` }
  } catch (thrown) {
    if (!(thrown instanceof Refusal) || thrown.code !== 'conflict') throw thrown
    return orderPage(asked, await orders.find(own), now(), thrown)
  }
}

/** Who is nobody has no order: asked without a customer, `orders` would show anybody's. */
function ownOrder({ customerId }: AskForPage, name: string): { id: string; customerId: string } {
  const { success, data: id } = orderId.safeParse(name)
  if (!success || customerId === undefined) throw new Refusal('not-found', 'there is no such order')
  return { id, customerId }
}

function orderPage(asked: AskForPage, order: OrderView, now: Date, refusal?: Refusal): Page {
  const { id, status, placedAt, contact, card, lines, voucherCodes, quote } = order
  const isUnderWay = UNDER_WAY.has(status)
  const refreshes = isUnderWay && asked.method === 'GET' && asked.query['refresh'] !== 'off'
  return pageOf(asked, {
    title: `Order: ${statusWords[status]}`,
    ...(refusal !== undefined && { status: statusOf[refusal.code] }),
    refreshS: refreshes ? refreshSOf(placedAt, now) : undefined,
    main: html`<h1>Your order</h1>
${refusal !== undefined && complaint([refusal.message])}
<p class="status${isUnderWay && ' moving'}${status === 'cancelled' && ' over'}" role="status">${statusWords[status]}</p>
${
  refreshes &&
  html`<p class="note">This page looks again by itself until the order is settled. <a href="/orders/${id}?refresh=off">Do not look again by itself</a></p>`
}
${isUnderWay && !refreshes && html`<p class="note"><a href="/orders/${id}">Look again</a></p>`}
<div class="order">
<section aria-labelledby="story"><h2 id="story">What happened</h2>${timeline(order)}</section>
<section aria-labelledby="goods"><h2 id="goods">What was ordered</h2>
<ul>${lines.map(({ sku, quantity, name }) => html`<li>${quantity} × <a href="/p/${sku}">${name ?? sku}</a></li>`)}</ul>
${voucherCodes.length > 0 && html`<p class="note">Vouchers: ${voucherCodes.join(', ')}</p>`}
${quote === null ? html`<p class="note">The price is not known yet.</p>` : sums(quote)}
<h2>To whom</h2>
<address>${contact.name}${contact.address.map((line) => html`<br>${line}`)}</address>
<p class="note">Card ${card} · number <span class="number">${id}</span></p>
${cancelling(order)}
</section>
</div>`,
  })
}

/** Whoever waits for the first steps looks often; an order that waits for its payment is looked at now and then. */
function refreshSOf(placedAt: string, now: Date): number {
  return now.getTime() - Date.parse(placedAt) < YOUNG_MS ? REFRESH_S : REFRESH_OLD_S
}

function timeline({ timeline: steps }: OrderView): Html {
  return html`<ol class="timeline">${steps.map(
    ({ step, at, reason }) =>
      html`<li><strong>${stepWords[step]}</strong> ${atMoment(at)}${reason !== undefined && html`<span>${reason}</span>`}</li>`,
  )}</ol>`
}

function cancelling({ id, cancellable, status, payBy }: OrderView): Fill {
  return [
    status === 'paying' && html`<p class="note">Unpaid by ${atMoment(payBy)}, it is cancelled by itself.</p>`,
    cancellable &&
      html`<form method="post" action="/orders/${id}"><button class="quiet" type="submit" name="do" value="cancel">Cancel the order</button></form>`,
  ]
}
