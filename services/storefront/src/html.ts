/**
 * Markup, in which whatever is filled in is text unless it is markup itself: nobody can forget to escape. Attributes have to be
 * quoted, and no text of others may stand where the browser expects a script or the beginning of an address.
 */
export class Html {
  readonly text: string

  constructor(text: string) {
    this.text = text
  }
}

/** `undefined` and `false` leave nothing, so `isThere && html…` is a condition. */
export type Fill = Html | string | number | undefined | false | readonly Fill[]

export function html(markup: TemplateStringsArray, ...fills: readonly Fill[]): Html {
  return new Html(String.raw({ raw: markup }, ...fills.map(written)))
}

function written(fill: Fill): string {
  if (fill === undefined || fill === false) return ''
  if (fill instanceof Html) return fill.text
  if (typeof fill === 'object') return fill.map(written).join('')
  return String(fill).replace(/[&<>"']/g, (sign) => `&#${sign.charCodeAt(0)};`)
}
