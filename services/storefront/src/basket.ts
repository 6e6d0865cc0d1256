import { priced } from '@tideshop/clients/baskets'
import {
  type BasketChange,
  type BasketView,
  type PricedBasket,
  putVouchers,
} from '@tideshop/contracts/basket'
import { sku as skuSchema } from '@tideshop/contracts/catalog'
import { QUANTITY_MAX, type Quote, VOUCHERS_MAX } from '@tideshop/contracts/pricing'
import type { AskForPage, Page } from '@tideshop/contracts/storefront'
import { statusOf } from '@tideshop/kit/http'
import { parse, Refusal } from '@tideshop/kit/refusal'
import { type Fill, type Html, html } from './html.ts'
import { complaint, pageOf } from './layout.ts'
import { quantityField, quantityIn } from './quantity.ts'
import type { Shop } from './shop.ts'
import { euros } from './words.ts'

export const emptyBasket: BasketView = { lines: [], voucherCodes: [] }

export async function showBasket(shop: Shop, asked: AskForPage): Promise<Page> {
  return basketPage(asked, await pricedOf(shop, asked))
}

/** Who has no basket yet wakes nobody. */
export async function pricedOf(shop: Shop, { customerId, traceparent }: AskForPage): Promise<PricedBasket> {
  const basket = customerId === undefined ? emptyBasket : await shop.baskets.find(customerId)
  return priced(basket, shop, traceparent)
}

/** Every form of the basket, and of a good's page: `do` says which. */
export async function changeBasket(shop: Shop, asked: AskForPage): Promise<Page> {
  const { customerId } = asked
  if (customerId === undefined) throw new Refusal('invalid', 'a basket belongs to somebody')
  try {
    const { keptS } = await shop.baskets.change(customerId, await wantedChange(shop, customerId, asked))
    return { location: '/basket', keptS }
  } catch (thrown) {
    // An address that somebody made up is no field to be corrected.
    if (!(thrown instanceof Refusal) || thrown.code === 'not-found' || thrown.code === 'unavailable')
      throw thrown
    return basketPage(asked, await pricedOf(shop, asked), thrown)
  }
}

async function wantedChange(
  { catalog, baskets }: Shop,
  customerId: string,
  { form }: AskForPage,
): Promise<BasketChange> {
  const sku = () => parse(skuSchema, form['sku'], 'sku')
  switch (form['do']) {
    case 'put': {
      const quantity = quantityIn(form['quantity'])
      if (quantity === undefined)
        throw new Refusal('invalid', `Of one good you can have 1 to ${QUANTITY_MAX} pieces.`)
      // A basket takes any number that a label could have; what the shop does not sell should not come in by this door.
      const good = await catalog.good(sku())
      return { kind: 'put-line', sku: good.sku, quantity }
    }
    case 'remove':
      return { kind: 'remove-line', sku: sku() }
    case 'put-voucher':
      return withVouchers(await baskets.find(customerId), (codes) => [...codes, form['code']?.trim() ?? ''])
    case 'remove-voucher':
      return withVouchers(await baskets.find(customerId), (codes) =>
        codes.filter((code) => code !== form['code']),
      )
    default:
      throw new Refusal('not-found', 'there is no such form')
  }
}

/** A code that is there already stays where it is. */
function withVouchers(
  { voucherCodes }: BasketView,
  change: (codes: readonly string[]) => string[],
): BasketChange {
  const { success, data } = putVouchers.safeParse({ voucherCodes: [...new Set(change(voucherCodes))] })
  if (!success)
    throw new Refusal(
      'invalid',
      `A voucher code has 1 to 32 letters, digits and dashes, and ${VOUCHERS_MAX} of them are the most.`,
    )
  return { kind: 'put-vouchers', ...data }
}

function basketPage(asked: AskForPage, basket: PricedBasket, refusal?: Refusal): Page {
  return pageOf(asked, {
    title: 'Basket',
    ...(refusal !== undefined && { status: statusOf[refusal.code] }),
    main: html`<h1>Basket</h1>
${refusal !== undefined && complaint([refusal.message])}
${basket.lines.length === 0 ? html`<p>Your basket is empty. <a href="/">To the goods</a></p>` : filled(asked, basket, refusal !== undefined)}`,
  })
}

function filled({ form }: AskForPage, basket: PricedBasket, isAgain: boolean): Html {
  const { lines, quote } = basket
  // Fields keep what was typed into them.
  const typed = (sku: string) =>
    isAgain && form['do'] === 'put' && form['sku'] === sku ? form['quantity'] : undefined
  const code = isAgain && form['do'] === 'put-voucher' ? form['code'] : ''
  return html`<ul class="lines">${lines.map((line) => lineOf(line, quote, typed(line.sku)))}</ul>
<div class="sums">
<form class="voucher" method="post" action="/basket">
<p><label for="code">Voucher code</label>
<input id="code" name="code" type="text" maxlength="32" required autocomplete="off" value="${code ?? ''}">
<button class="quiet" type="submit" name="do" value="put-voucher">Redeem</button></p>
</form>
${vouchers(basket)}
${quote !== null && sums(quote)}
${
  isOrderable(basket)
    ? html`<p class="onward"><a class="button" href="/checkout">To the checkout</a></p>`
    : html`<p class="note">Take out what is not sold any more; then you can order the rest.</p>`
}
</div>`
}

export function isOrderable({ lines }: PricedBasket): boolean {
  return lines.length > 0 && lines.every(({ available }) => available)
}

function lineOf(
  { sku, quantity, good }: PricedBasket['lines'][number],
  quote: Quote | null,
  typed?: string,
): Html {
  const line = quote?.lines.find((one) => one.sku === sku)
  const name = good?.name ?? sku
  return html`<li>
${good !== undefined && html`<img src="${good.picture}" alt="" width="120" height="90">`}
<div class="what"><h2>${good === undefined ? name : html`<a href="/p/${sku}">${name}</a>`}</h2>
${line === undefined ? html`<p class="note">It is not sold any more.</p>` : html`<p class="note">${euros(line.unitPriceCents)} each</p>${takenOff(line.discounts)}`}</div>
<form method="post" action="/basket">
<input type="hidden" name="sku" value="${sku}">
${
  good !== undefined &&
  html`<label class="unseen" for="quantity-${sku}">How many of ${name}</label>
${quantityField(`quantity-${sku}`, typed ?? quantity)}
<button class="quiet" type="submit" name="do" value="put">Change<span class="unseen"> the number of ${name}</span></button>`
}
<button class="quiet" type="submit" name="do" value="remove" formnovalidate>Take out<span class="unseen"> ${name}</span></button>
</form>
<p class="price">${line !== undefined && euros(line.totalCents)}</p>
</li>`
}

function takenOff(discounts: Quote['discounts']): Fill {
  return discounts.map(({ reason, cents }) => html`<p class="note">${reason}: −${euros(cents)}</p>`)
}

function vouchers({ voucherCodes, quote }: PricedBasket): Fill {
  if (voucherCodes.length === 0) return false
  const said = (code: string) => quote?.vouchers.find((one) => one.code === code)
  return html`<ul class="codes">${voucherCodes.map((code) => {
    const { applied = false, reason } = said(code) ?? {}
    return html`<li><form method="post" action="/basket"><input type="hidden" name="code" value="${code}">
<span>${code}${applied ? ': redeemed' : html`: not redeemed${reason !== undefined && html`, ${reason}`}`}</span>
<button class="quiet" type="submit" name="do" value="remove-voucher">Take out<span class="unseen"> the voucher ${code}</span></button></form></li>`
  })}</ul>`
}

/** Of a basket, and of an order. */
export function sums({ lines, discounts, totalCents }: Quote): Html {
  const goodsCents = lines.reduce((sum, line) => sum + line.totalCents, 0)
  return html`<dl class="total">
${discounts.length > 0 && html`<div><dt>Goods</dt><dd>${euros(goodsCents)}</dd></div>`}
${discounts.map(({ reason, cents }) => html`<div><dt>${reason}</dt><dd>−${euros(cents)}</dd></div>`)}
<div class="sum"><dt>Total</dt><dd>${euros(totalCents)}</dd></div>
</dl>`
}
