import type { Catalog } from '@tideshop/clients/catalog'
import { queryOf } from '@tideshop/clients/query'
import type { BasketView } from '@tideshop/contracts/basket'
import {
  type CategoriesPage,
  categoryId,
  type GoodsPage,
  type GoodView,
  listGoods,
  sku,
} from '@tideshop/contracts/catalog'
import type { AskForPage, Page } from '@tideshop/contracts/storefront'
import { parse, Refusal } from '@tideshop/kit/refusal'
import { type Fill, type Html, html } from './html.ts'
import { complaint, pageOf } from './layout.ts'
import { quantityField } from './quantity.ts'
import type { Shop } from './shop.ts'
import { euros, onDay } from './words.ts'

/** Goods on one page, and those on sale at the front. */
const GOODS_SHOWN = 24
const HOME_GOODS = 12
const HOME_SALES = 4
/** Sales among which those that run are looked for. */
const SALES_READ = 50

type Category = CategoriesPage['categories'][number]

export async function showHome({ catalog }: Shop, asked: AskForPage): Promise<Page> {
  const [{ categories }, { goods }, onSale] = await Promise.all([
    catalog.categories(),
    catalog.goods({ limit: HOME_GOODS }),
    goodsOnSale(catalog),
  ])
  return pageOf(asked, {
    title: 'Goods for life by the water',
    main: html`<section class="harbour">
<div>
<h1>Goods for life by the water</h1>
<p>Lamps that stand the wind, mugs that stand the deck. The tide brings them, and you take your time.</p>
</div>
${harbour}
</section>
${shelf(categories)}
${
  onSale.length > 0 &&
  html`<section aria-labelledby="sale"><h2 id="sale">On sale now</h2>${cards(onSale)}</section>`
}
<section aria-labelledby="goods"><h2 id="goods">From our shelves</h2>${cards(goods)}</section>`,
  })
}

async function goodsOnSale(catalog: Catalog): Promise<GoodView[]> {
  const { sales } = await catalog.sales({ limit: SALES_READ })
  const running = sales.filter(({ state }) => state === 'running').map((sale) => sale.sku)
  const skus = [...new Set(running)].slice(0, HOME_SALES)
  return skus.length === 0 ? [] : (await catalog.named(skus)).goods
}

export async function showCategory({ catalog }: Shop, asked: AskForPage, name: string): Promise<Page> {
  const wanted = parse(
    listGoods,
    { limit: GOODS_SHOWN, ...after(asked), category: called(categoryId.safeParse(name)) },
    'query',
  )
  const [{ categories }, page] = await Promise.all([catalog.categories(), catalog.goods(wanted)])
  const category = categories.find(({ id }) => id === name)
  if (category === undefined) throw new Refusal('not-found', `there is no category ${name}`)
  return pageOf(asked, {
    title: category.name,
    main: html`<h1>${category.name}</h1>${shelf(categories, category)}${found(page, `/c/${name}`, {})}`,
  })
}

/** Who asks for nothing, or for what cannot be asked, gets an empty field again and no goods, and wakes nobody. */
export async function showSearch({ catalog }: Shop, asked: AskForPage): Promise<Page> {
  const q = asked.query['q']?.trim() ?? ''
  if (q === '') return searchPage(asked, q, html`<p>Write into the field above what you look for.</p>`)
  const { success, data, error } = listGoods.safeParse({ limit: GOODS_SHOWN, ...after(asked), q })
  if (!success)
    return searchPage(
      asked,
      q,
      complaint(error.issues.map(({ message }) => `What you look for ${message}`)),
      400,
    )
  const page = await catalog.goods(data)
  return searchPage(asked, q, found(page, '/search', { q }))
}

function searchPage(asked: AskForPage, q: string, main: Fill, status = 200): Page {
  const title = q === '' ? 'Search' : `Search: ${q}`
  return pageOf(asked, { title, status, sought: q, main: html`<h1>${title}</h1>${main}` })
}

export async function showGood({ catalog, baskets }: Shop, asked: AskForPage, name: string): Promise<Page> {
  const { customerId } = asked
  const [good, basket] = await Promise.all([
    catalog.good(called(sku.safeParse(name))),
    customerId === undefined ? undefined : baskets.find(customerId),
  ])
  return pageOf(asked, {
    title: good.name,
    main: html`<article class="good">
<img src="${good.picture}" alt="${good.name}" width="400" height="300">
<div>
<h1>${good.name}</h1>
<p class="price">${price(good)}</p>
${good.sale !== undefined && html`<p class="note">${good.sale.title}: until ${onDay(good.sale.endsAt)}, for ${good.sale.perCustomerMax} pieces each customer.</p>`}
<p>${good.description}</p>
${buying(good, basket)}
<p class="note">Number ${good.sku} · <a href="/c/${good.category}">More of this kind</a></p>
</div>
</article>`,
  })
}

/** It says how many there shall be, not how many more: sent twice, it is done once. */
function buying(good: GoodView, basket: BasketView | undefined): Html {
  const line = basket?.lines.find((one) => one.sku === good.sku)
  return html`<form class="buy" method="post" action="/basket">
<input type="hidden" name="sku" value="${good.sku}">
<p><label for="quantity">How many</label>
${quantityField('quantity', line?.quantity ?? 1)}
<button type="submit" name="do" value="put">${line === undefined ? 'Put into the basket' : 'Change the basket'}</button></p>
${line !== undefined && html`<p class="note">In your <a href="/basket">basket</a>: ${line.quantity}</p>`}
</form>`
}

function shelf(categories: readonly Category[], current?: Category): Html {
  return html`<nav class="shelf" aria-label="Categories"><ul>${categories.map(
    ({ id, name }) =>
      html`<li><a href="/c/${id}"${id === current?.id && html` aria-current="page"`}>${name}</a></li>`,
  )}</ul></nav>`
}

function found({ goods, next }: GoodsPage, path: string, query: object): Html {
  if (goods.length === 0) return html`<p>Nothing of that kind is on our shelves.</p>`
  return html`${cards(goods)}
${next !== null && html`<p class="more"><a href="${path}${queryOf({ ...query, after: next })}">More goods</a></p>`}`
}

function cards(goods: readonly GoodView[]): Html {
  return html`<ul class="cards">${goods.map(
    (
      good,
    ) => html`<li><a href="/p/${good.sku}"><img src="${good.picture}" alt="" width="400" height="300" loading="lazy">
<span class="name">${good.name}</span></a>
<span class="price">${price(good)}</span></li>`,
  )}</ul>`
}

function price({ priceCents, sale }: GoodView): Fill {
  if (sale === undefined) return euros(priceCents)
  return html`<span class="unseen">Now </span><strong>${euros(sale.priceCents)}</strong> <span class="unseen">instead of </span><del>${euros(priceCents)}</del>`
}

function after({ query }: AskForPage) {
  return query['after'] === undefined ? {} : { after: query['after'] }
}

/** What no name can be is the name of nothing. */
function called({ data }: { data?: string | undefined }): string {
  if (data === undefined) throw new Refusal('not-found', 'nothing has such a name')
  return data
}

/** A lighthouse, a boat and the tide. */
const harbour: Html = html`<svg class="picture" viewBox="0 0 600 260" aria-hidden="true" focusable="false">
<circle class="sun" cx="430" cy="92" r="44"/>
<path class="far" d="M0 168q60-34 130-22t120-8 110 18 120-10 120 16v98H0z"/>
<path class="rock" d="M60 206q14-44 54-46 42 2 58 46z"/><path class="tower" d="M96 62h36l10 106H86z"/><path class="stripe" d="M93 92h42l2 24H91zM89 136h50l2 22H87z"/><path class="lamp" d="M100 40h28v22h-28zM94 40l20-18 20 18z"/>
<path class="hull" d="M298 178h132l-20 30h-92z"/><path class="sail" d="M360 84v86h-50zM370 98l44 72h-44z"/>
<path class="near" d="M0 196q50-14 100 0t100 0 100 0 100 0 100 0 100 0v64H0z"/>
<path class="shore" d="M0 226q50-12 100 0t100 0 100 0 100 0 100 0 100 0v34H0z"/>
</svg>`
