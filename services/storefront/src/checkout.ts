import { checkOut } from '@tideshop/clients/checkout'
import type { PricedBasket } from '@tideshop/contracts/basket'
import { idempotencyKey } from '@tideshop/contracts/operations'
import { checkout } from '@tideshop/contracts/orders'
import { testCards } from '@tideshop/contracts/payments'
import type { AskForPage, Page } from '@tideshop/contracts/storefront'
import { statusOf } from '@tideshop/kit/http'
import { parse, Refusal } from '@tideshop/kit/refusal'
import { isOrderable, pricedOf, sums } from './basket.ts'
import { type Html, html } from './html.ts'
import { complaint, pageOf } from './layout.ts'
import type { Shop } from './shop.ts'
import { euros, inFours } from './words.ts'

/** What each field needs, as the form says it; the contract says no more than that it is wrong. */
const needs = {
  name: 'A name of up to 100 characters is needed.',
  address: 'An address is needed: one to six lines of up to 100 characters.',
  card: 'One of the test cards is needed.',
} as const
type Field = keyof typeof needs

const FIELD_PATHS: readonly [Field, string][] = [
  ['name', 'contact.name'],
  ['address', 'contact.address'],
  ['card', 'card'],
]

type Complaint = { status: number; wrong: readonly Field[]; sentence?: string | undefined }

/** Nobody can order what is not sold, or nothing: the basket says so. */
export async function showCheckout(shop: Shop, asked: AskForPage): Promise<Page> {
  const basket = await pricedOf(shop, asked)
  return isOrderable(basket) ? checkoutPage(asked, basket, asked.newId) : { location: '/basket' }
}

/**
 * Places the order. The key was made when the form was shown, so whoever sends it twice has ordered once, and is shown the same
 * order twice. `newId` is the order's; a repeat by the sidecar brings the same.
 */
export async function placeOrder(shop: Shop, asked: AskForPage): Promise<Page> {
  const { customerId, newId: id, form, traceparent } = asked
  if (customerId === undefined) return { location: '/basket' }
  const wanted = checkout.safeParse(wishIn(form))
  if (!wanted.success) {
    const paths = wanted.error.issues.map(({ path }) => path.join('.'))
    const wrong = FIELD_PATHS.filter(([, path]) => paths.some((one) => one.startsWith(path)))
    // Nobody wrote the total himself: without it, or with another, it is a form that somebody else made.
    const sentence =
      wrong.length === 0 ? 'Something of the form was missing. Here it is once more.' : undefined
    return again(shop, asked, { status: 400, wrong: wrong.map(([field]) => field), sentence })
  }
  const key = parse(idempotencyKey, form['key'], 'key')
  try {
    const wish = { id, customerId, idempotencyKey: key, traceparent }
    const { order, keptS } = await checkOut(shop, { ...wanted.data, ...wish })
    return { location: `/orders/${order.id}`, keptS }
  } catch (thrown) {
    if (!(thrown instanceof Refusal)) throw thrown
    return again(
      shop,
      asked,
      { status: statusOf[thrown.code], wrong: [], sentence: sentenceOf(thrown) },
      thrown,
    )
  }
}

function wishIn({ name, address = '', card, total = '' }: AskForPage['form']) {
  const lines = address.split('\n').map((line) => line.trim())
  return {
    contact: { name, address: lines.filter((line) => line !== '') },
    card,
    agreedTotalCents: /^\d+$/.test(total) ? Number(total) : total,
  }
}

function sentenceOf({ code, message }: Refusal): string {
  if (code === 'uncertain' || code === 'unavailable')
    return 'We could not hear whether it was ordered. Send the form again: you will not order twice.'
  if (code === 'key-reused')
    return 'With this form something was ordered already. Look at what you order now, and send it again.'
  return `It was not ordered: ${message}.`
}

/**
 * The form once more, with what was typed, and with what the basket costs now. Whoever may have ordered keeps the key; with a
 * definite no the next try is a new one.
 */
async function again(shop: Shop, asked: AskForPage, complaints: Complaint, refusal?: Refusal): Promise<Page> {
  const basket = await pricedOf(shop, asked).catch((thrown) => {
    if (thrown instanceof Refusal && complaints.status === 503) return null
    throw thrown
  })
  const isDefinite = refusal !== undefined && complaints.status !== 503
  const key = isDefinite ? asked.newId : (asked.form['key'] ?? asked.newId)
  if (basket !== null && basket.lines.length === 0 && complaints.status !== 503)
    return { location: '/basket' }
  return checkoutPage(asked, basket, key, complaints)
}

/** `basket` is null when nobody can say what is in it: the form can be sent all the same. */
function checkoutPage(
  asked: AskForPage,
  basket: PricedBasket | null,
  key: string,
  complaints?: Complaint,
): Page {
  const { wrong = [], sentence } = complaints ?? {}
  const total = basket?.quote?.totalCents ?? asked.form['total'] ?? ''
  const problems = [
    ...(sentence === undefined ? [] : [sentence]),
    ...wrong.map((field) => html`<a href="#${field}">${needs[field]}</a>`),
  ]
  return pageOf(asked, {
    title: 'Checkout',
    ...(complaints !== undefined && { status: complaints.status }),
    main: html`<h1>Checkout</h1>
${complaint(problems)}
<p class="note">This is a shop to learn from. Nobody is charged, nothing is sent, and a real card has no business here.</p>
<form class="checkout" method="post" action="/checkout">
<input type="hidden" name="key" value="${key}">
<input type="hidden" name="total" value="${total}">
${fields(asked.form, wrong)}
${basket !== null && overview(basket)}
<p class="onward"><button type="submit">Order${total !== '' && html` for ${euros(Number(total))}`}</button> <a href="/basket">Back to the basket</a></p>
</form>`,
  })
}

function fields({ name, address, card }: AskForPage['form'], wrong: readonly Field[]): Html {
  const flaw = (field: Field) =>
    wrong.includes(field) && html` aria-invalid="true" aria-describedby="${field}-needs"`
  const hint = (field: Field) =>
    wrong.includes(field) && html`<p class="wrong" id="${field}-needs">${needs[field]}</p>`
  return html`<fieldset><legend>To whom</legend>
<p><label for="name">Name</label>
<input id="name" name="name" type="text" maxlength="100" required autocomplete="name" value="${name ?? ''}"${flaw('name')}></p>
${hint('name')}
<p><label for="address">Address, up to six lines</label>
<textarea id="address" name="address" rows="4" maxlength="610" required autocomplete="street-address"${flaw('address')}>
${address ?? ''}</textarea></p>
${hint('address')}
</fieldset>
<fieldset class="cards-to-pay" id="card"${wrong.includes('card') && html` aria-describedby="card-needs"`}><legend>Test card</legend>
${hint('card')}
${Object.entries(testCards).map(
  (
    [number, does],
    nth,
  ) => html`<p><input type="radio" name="card" id="card-${number}" value="${number}" required${
    number === (card ?? (nth === 0 && number)) && html` checked`
  }>
<label for="card-${number}"><span class="number">${inFours(number)}</span> ${does}</label></p>`,
)}
</fieldset>`
}

function overview({ lines, quote }: PricedBasket): Html {
  return html`<section class="overview" aria-labelledby="overview"><h2 id="overview">What you order</h2>
<ul>${lines.map(({ sku, quantity, good }) => html`<li>${quantity} × ${good?.name ?? sku}</li>`)}</ul>
${quote !== null && sums(quote)}
</section>`
}
