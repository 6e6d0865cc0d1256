import { expect, test } from 'vitest'
import { barPlot, escaped, linePlot, roundUp } from './plot.ts'

test('an axis ends at a number that one can read', () => {
  expect([3, 17, 480, 1200, 9999].map(roundUp)).toEqual([3, 20, 500, 1500, 10_000])
})

test('a plot shows every line and stays within its frame, also without a point', () => {
  const svg = linePlot('rates', { x: 's', y: '/s' }, [
    {
      name: 'offered',
      colour: 'red',
      points: [
        { x: 0, y: 0 },
        { x: 10, y: 100 },
      ],
    },
    { name: 'ended', colour: 'blue', points: [] },
  ])
  expect(svg.match(/<polyline/g)).toHaveLength(2)
  expect(svg).not.toMatch(/NaN|Infinity/)
  expect(barPlot('cost', { x: '', y: 'ms' }, [])).not.toMatch(/NaN|Infinity/)
})

test('what holds until the next is drawn as stairs, and marks stand where they belong', () => {
  const points = [
    { x: 0, y: 1 },
    { x: 5, y: 4 },
  ]
  const line = { name: 'ready', colour: 'red', points, steps: true }
  const svg = linePlot('replicas', { x: 's', y: '', xMax: 10 }, [line], [{ x: 10, word: 'over' }])
  const [first, corner, last] = /points="([^"]*)"/.exec(svg)?.[1]?.split(' ') ?? []
  expect(corner?.split(',')).toEqual([last?.split(',')[0], first?.split(',')[1]])
  expect(svg).toContain('>over</text>')
})

test('words do not become markup', () => {
  expect(escaped('<a & "b">')).toBe('&lt;a &amp; &quot;b&quot;&gt;')
})
