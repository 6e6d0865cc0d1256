import { type Invoice, type Line, lineTotalCents, subtotalCents } from './invoice.ts'

/**
 * The invoice as a page that needs nothing beside it: it is read by people, printed, and read aloud. Pure, so that a repeat
 * writes the same bytes.
 */
export function documentOf(invoice: Invoice): string {
  const { number, issuedAt, order } = invoice
  const { customer, lines, discountCents, totalCents } = order
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Invoice ${number} · Tideshop</title>
<style>
body { font: 1rem/1.5 system-ui, sans-serif; max-width: 45rem; margin: 2rem auto; padding: 0 1rem; color: #111; background: #fff }
table { border-collapse: collapse; width: 100% }
th, td { padding: .4rem .5rem; text-align: left; border-bottom: 1px solid #767676; vertical-align: top }
.amount { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap }
caption { text-align: left; font-weight: bold; padding: .5rem 0 }
</style>
</head>
<body>
<main>
<h1>Invoice ${number}</h1>
<dl>
<dt>Issued</dt><dd>${timeOf(issuedAt)}</dd>
<dt>Ordered</dt><dd>${timeOf(order.time)}</dd>
<dt>Order</dt><dd>${escaped(order.orderId)}</dd>
</dl>
<h2>To</h2>
<address>${[customer.name, ...customer.address].map(escaped).join('<br>')}</address>
<table>
<caption>What was ordered</caption>
<thead><tr>
<th scope="col">Article</th>
<th scope="col" class="amount">Each</th>
<th scope="col" class="amount">Pieces</th>
<th scope="col" class="amount">Discount</th>
<th scope="col" class="amount">Amount</th>
</tr></thead>
<tbody>
${lines.map(rowOf).join('\n')}
</tbody>
<tfoot>
${discountCents > 0 ? `${sumOf('Subtotal', subtotalCents(order))}\n${sumOf('Discount', -discountCents)}\n` : ''}${sumOf('Total', totalCents)}
</tfoot>
</table>
</main>
</body>
</html>
`
}

function rowOf(line: Line): string {
  const { sku, name, unitPriceCents, quantity, discountCents } = line
  return `<tr><th scope="row">${escaped(name)} <small>${escaped(sku)}</small></th>${[
    euros(unitPriceCents),
    String(quantity),
    euros(-discountCents),
    euros(lineTotalCents(line)),
  ]
    .map((text) => `<td class="amount">${text}</td>`)
    .join('')}</tr>`
}

function sumOf(title: string, cents: number): string {
  return `<tr><th scope="row" colspan="4">${title}</th><td class="amount">${euros(cents)}</td></tr>`
}

const money = new Intl.NumberFormat('en-IE', { style: 'currency', currency: 'EUR' })
const CENTS_PER_EURO = 100

/** As in €1,234.50. The digits come from whole numbers: divided, an amount would no longer be exact. */
export function euros(cents: number): string {
  const size = Math.abs(cents)
  const rest = String(size % CENTS_PER_EURO).padStart(2, '0')
  const text = `${Math.floor(size / CENTS_PER_EURO)}.${rest}` as `${number}`
  return `${cents < 0 ? '−' : ''}${money.format(text)}`
}

const day = new Intl.DateTimeFormat('en-GB', { dateStyle: 'long', timeZone: 'UTC' })

function timeOf(iso: string): string {
  return `<time datetime="${iso}">${day.format(new Date(iso))}</time>`
}

const ENTITIES: Record<string, string> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

/** What a customer calls himself is text and stays text. */
export function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (sign) => ENTITIES[sign] ?? sign)
}
