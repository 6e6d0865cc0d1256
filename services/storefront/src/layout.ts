import type { ShopNotice } from '@tideshop/contracts/settings'
import type { AskForPage, Page } from '@tideshop/contracts/storefront'
import { ICON, STYLE } from './files.ts'
import { type Fill, type Html, html } from './html.ts'

export type Shown = {
  /** Of the window; the shop's name follows. */
  title: string
  main: Fill
  status?: number
  /** Seconds until the browser asks again. */
  refreshS?: number | undefined
  /** Stands in the field of the search again. */
  sought?: string | undefined
}

/** A whole page. Without any script: what it does it does by links and forms. */
export function pageOf(asked: AskForPage, shown: Shown): Page & { html: string } {
  const { title, main, status = 200, refreshS, sought } = shown
  const { notice = quiet } = asked
  const { text } = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
${refreshS !== undefined && html`<meta http-equiv="refresh" content="${refreshS}">`}
<title>${title} · ${notice.name}</title>
<link rel="icon" type="image/svg+xml" href="${ICON}">
<link rel="stylesheet" href="${STYLE}">
</head>
<body>
<a class="skip" href="#main">Skip to the content</a>
<header class="top">
<div class="quay">
<a class="brand" href="/">${buoy}<span>${notice.name}</span></a>
<form class="search" role="search" action="/search">
<label class="unseen" for="q">Search the goods</label>
<input id="q" name="q" type="search" maxlength="100" placeholder="Lantern, mug, oilskin …" value="${sought ?? ''}">
<button type="submit">Search</button>
</form>
<nav aria-label="Yours">
<ul>
<li><a href="/basket">Basket</a></li>
<li><a href="/orders">My orders</a></li>
${account(asked)}
</ul>
</nav>
</div>
${tide}
</header>
${announcement(notice)}
<main id="main" tabindex="-1">
${main}
</main>
<footer class="bottom">
<p>${notice.name} sells nothing: it is a shop to learn from. Nobody is charged, and nothing is sent.</p>
<p><a href="/docs">For programs: the API</a></p>
</footer>
</body>
</html>
`
  return { status, html: text }
}

const quiet: ShopNotice = { name: 'Tideshop', banner: null, maintenance: null }

/** What the shop's people have to say to everybody. */
function announcement({ banner, maintenance }: ShopNotice): Html | false {
  if (maintenance !== null)
    return html`<p class="announcement warning" role="status">${maintenance.message}</p>`
  return banner !== null && html`<p class="announcement ${banner.level}" role="status">${banner.text}</p>`
}

const buoy: Html = html`<svg viewBox="0 0 32 32" width="32" height="32" aria-hidden="true" focusable="false"><path d="M16 3v6M12 9h8l3 12H9z" fill="none" stroke="currentColor" stroke-width="2" stroke-linejoin="round"/><path d="M10.5 15h11" stroke="currentColor" stroke-width="3"/><path d="M2 25q3.5-4 7 0t7 0 7 0 7 0" fill="none" stroke="currentColor" stroke-width="2" stroke-linecap="round"/></svg>`

const tide: Html = html`<svg class="tide" viewBox="0 0 1200 24" preserveAspectRatio="none" aria-hidden="true" focusable="false"><path d="M0 12q75-14 150 0t150 0 150 0 150 0 150 0 150 0 150 0 150 0V0H0z"/></svg>`

/** By links, not forms: the browser goes on to the issuer, which a form may not (services/apigateway/src/security.ts). */
function account({ customerName, canSignIn, path }: AskForPage): Html | false {
  if (customerName !== undefined)
    return html`<li class="who">${customerName}</li><li><a href="/sign-out">Sign out</a></li>`
  return canSignIn === true && html`<li><a href="/sign-in?to=${encodeURIComponent(path)}">Sign in</a></li>`
}

/** What went wrong, at the head of a form; a screen reader says it at once. */
export function complaint(problems: readonly Fill[]): Html | false {
  if (problems.length === 0) return false
  return html`<div class="complaint" role="alert"><p>That did not work.</p><ul>${problems.map((problem) => html`<li>${problem}</li>`)}</ul></div>`
}

export function problemPage(asked: AskForPage, status: number, detail: string): Page {
  const title = status === 404 ? 'Not here' : status === 503 ? 'Low tide' : 'That did not work'
  return pageOf(asked, {
    title,
    status,
    main: html`<h1>${title}</h1>
<p>${status === 404 ? 'Whatever was moored here is gone, or never was.' : detail}</p>
<p><a href="/">To the goods</a></p>`,
  })
}
