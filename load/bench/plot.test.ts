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

test('words do not become markup', () => {
  expect(escaped('<a & "b">')).toBe('&lt;a &amp; &quot;b&quot;&gt;')
})
