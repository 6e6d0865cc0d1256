/** Plots as inline SVG: a page of ours needs no library, and opens without a network. */

export type Point = { x: number; y: number }
export type Line = {
  name: string
  colour: string
  points: readonly Point[]
  /** Holds each value until the next, as a number of replicas does. */
  steps?: boolean
  dashed?: boolean
}

/** `xMax`: where the axis ends, so that plots below one another have one; by itself where the last point is. */
export type Axes = { x: string; y: string; xMax?: number }

const WIDTH = 760
const HEIGHT = 240
const LEFT = 64
const BOTTOM = 32
const TOP = 12
const RIGHT = 12
const TICKS = 5
/** Where nothing is shown an axis still needs an end. */
const LEAST = 0.001
const INNER_WIDTH = WIDTH - LEFT - RIGHT
const INNER_HEIGHT = HEIGHT - TOP - BOTTOM

/** Lines over a common axis that begins at 0; `marks` are upright lines with a word each. */
export function linePlot(
  title: string,
  axes: Axes,
  lines: readonly Line[],
  marks: readonly { x: number; word: string }[] = [],
): string {
  const points = lines.flatMap((line) => line.points)
  const xMax = axes.xMax ?? roundUp(Math.max(1, ...points.map(({ x }) => x)))
  const yMax = roundUp(Math.max(1, ...points.map(({ y }) => y)))
  const place = ({ x, y }: Point) =>
    `${(LEFT + (x / xMax) * INNER_WIDTH).toFixed(1)},${(TOP + INNER_HEIGHT * (1 - y / yMax)).toFixed(1)}`
  const drawn = lines.map(({ colour, points: its, steps = false, dashed = false }) => {
    const dashes = dashed ? ' stroke-dasharray="5 4"' : ''
    const at = (steps ? stairs(its) : its).map(place).join(' ')
    return `<polyline fill="none" stroke="${colour}" stroke-width="2"${dashes} points="${at}"/>`
  })
  const upright = marks.map(({ x, word }) => {
    const at = (LEFT + (x / xMax) * INNER_WIDTH).toFixed(1)
    const line = `<line x1="${at}" x2="${at}" y1="${TOP}" y2="${TOP + INNER_HEIGHT}" stroke="currentColor" opacity="0.4"/>`
    return line + text(Number(at) + 4, TOP + 10, word, 'start')
  })
  return figure(title, lines, [...grid(xMax, yMax, axes), ...upright, ...drawn])
}

function stairs(points: readonly Point[]): Point[] {
  return points.flatMap((point, index) => {
    const before = points[index - 1]
    return before === undefined ? [point] : [{ x: point.x, y: before.y }, point]
  })
}

export type Bar = { label: string; parts: readonly { name: string; colour: string; value: number }[] }

/** One stack per bar. */
export function barPlot(title: string, axes: { x: string; y: string }, bars: readonly Bar[]): string {
  const heights = bars.map(({ parts }) => parts.reduce((sum, { value }) => sum + value, 0))
  const yMax = roundUp(Math.max(LEAST, ...heights))
  const step = INNER_WIDTH / Math.max(1, bars.length)
  const drawn = bars.flatMap(({ label, parts }, index) => {
    const x = LEFT + step * index + step * 0.15
    let y = TOP + INNER_HEIGHT
    const boxes = parts.map(({ name, colour, value }) => {
      const height = (value / yMax) * INNER_HEIGHT
      y -= height
      return `<rect x="${x.toFixed(1)}" y="${y.toFixed(1)}" width="${(step * 0.7).toFixed(1)}" height="${height.toFixed(1)}" fill="${colour}"><title>${escaped(`${name} ${value.toPrecision(3)}`)}</title></rect>`
    })
    const middle = (LEFT + step * (index + 0.5)).toFixed(1)
    return [...boxes, text(middle, HEIGHT - BOTTOM + 14, label, 'middle')]
  })
  return figure(title, bars[0]?.parts ?? [], [...grid(null, yMax, axes), ...drawn])
}

function figure(title: string, keys: readonly { name: string; colour: string }[], drawn: string[]): string {
  const legend = keys.map(
    ({ name, colour }) => `<span><i style="background:${colour}"></i>${escaped(name)}</span>`,
  )
  return `<figure>
<figcaption>${escaped(title)} ${legend.join(' ')}</figcaption>
<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${escaped(title)}">
${drawn.join('\n')}
</svg>
</figure>`
}

/** `xMax` null: the bars name themselves. */
function grid(xMax: number | null, yMax: number, axes: { x: string; y: string }): string[] {
  const steps = Array.from({ length: TICKS + 1 }, (_, index) => index / TICKS)
  const rows = steps.map((part) => {
    const y = TOP + INNER_HEIGHT * (1 - part)
    const rule = `<line x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${y}" y2="${y}" stroke="currentColor" opacity="0.15"/>`
    return rule + text(LEFT - 6, y + 4, short(yMax * part), 'end')
  })
  const columns =
    xMax === null
      ? []
      : steps.map((part) =>
          text(LEFT + INNER_WIDTH * part, HEIGHT - BOTTOM + 14, short(xMax * part), 'middle'),
        )
  const names = [
    text(WIDTH - RIGHT, HEIGHT - 4, axes.x, 'end'),
    `<g transform="translate(11 ${TOP + INNER_HEIGHT / 2}) rotate(-90)">${text(0, 0, axes.y, 'middle')}</g>`,
  ]
  return [...rows, ...columns, ...names]
}

function text(x: number | string, y: number, words: string, anchor: 'start' | 'middle' | 'end'): string {
  return `<text x="${x}" y="${y}" text-anchor="${anchor}">${escaped(words)}</text>`
}

/** The next of 1, 1.5, 2, 3, 4, 5, 7.5 and 10 times a power of ten: an axis that ends at a number one can read. */
export function roundUp(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value))
  const times = [1, 1.5, 2, 3, 4, 5, 7.5, 10].find((one) => one * power >= value) ?? 10
  return times * power
}

function short(value: number): string {
  return value.toLocaleString('en-US', { maximumSignificantDigits: 3 })
}

export function escaped(words: string): string {
  const signs: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' }
  return words.replace(/[&<>"]/g, (sign) => signs[sign] ?? sign)
}
