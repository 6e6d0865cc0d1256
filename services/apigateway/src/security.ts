import type { RequestHandler } from 'express'

/**
 * What browsers are told with every answer of the door. A page of the shop has no script and asks nobody else, so nothing that
 * gets into one can do more than stand there.
 */

const PAGES = [
  "default-src 'none'",
  "style-src 'self'",
  "img-src 'self'",
  "form-action 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join('; ')

/** The reader of the contract brings its scripts, one of them in the page, and writes styles. */
const DOCS = [
  "default-src 'self'",
  "script-src 'self' 'unsafe-inline'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join('; ')

export const securityHeaders: RequestHandler = ({ path }, response, next) => {
  response.set({
    'content-security-policy': path.startsWith('/docs') ? DOCS : PAGES,
    'x-content-type-options': 'nosniff',
    // Not `no-referrer`: with it browsers leave out where a form stands, which pages.ts looks at.
    'referrer-policy': 'same-origin',
  })
  next()
}
