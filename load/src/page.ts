import { escaped } from './plot.ts'

/** A page of ours: one file, no script, readable by day and by night. `heading` and `told` are texts, `body` is HTML. */
export function page(title: string, heading: string, told: readonly string[], body: string): string {
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>${escaped(title)}</title>
<style>
  :root { color-scheme: light dark; font: 15px/1.5 system-ui, sans-serif }
  body { max-width: 800px; margin: 2rem auto; padding: 0 1rem }
  svg { width: 100%; height: auto } svg text { font-size: 11px; fill: currentColor }
  figure { margin: 2rem 0 } figcaption { font-weight: 600 } figcaption span { font-weight: 400; margin-left: .8rem }
  i { display: inline-block; width: .8em; height: .8em; margin-right: .3em }
  table { display: block; overflow-x: auto; border-collapse: collapse; font-variant-numeric: tabular-nums } td { white-space: nowrap } td, th { padding: .1rem .8rem .1rem 0; text-align: right }
  td:first-child, th:first-child { text-align: left }
</style>
<h1>${escaped(heading)}</h1>
<p>${told.map(escaped).join('<br>')}</p>
${body}
</html>
`
}

/** The first cell of each row names it. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const row = (cells: readonly string[], tag: 'th' | 'td') =>
    `<tr>${cells.map((cell) => `<${tag}>${escaped(cell)}</${tag}>`).join('')}</tr>`
  return `<table>${[row(head, 'th'), ...rows.map((cells) => row(cells, 'td'))].join('\n')}</table>`
}
