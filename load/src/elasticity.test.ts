import { expect, test } from 'vitest'
import { elasticityOf } from './elasticity.ts'

test('supply that is demand is perfect', () => {
  expect(elasticityOf([{ atMs: 0, demanded: 3, supplied: 3 }], 1000)).toEqual({
    underAccuracy: 0,
    overAccuracy: 0,
    underTimeshare: 0,
    overTimeshare: 0,
  })
})

test('what is missing and what is too much count by their share of demand and by their time', () => {
  const provisions = [
    { atMs: 0, demanded: 4, supplied: 1 },
    { atMs: 1000, demanded: 4, supplied: 4 },
    { atMs: 3000, demanded: 2, supplied: 4 },
  ]
  expect(elasticityOf(provisions, 4000)).toEqual({
    // Three of four were missing for a quarter of the time,
    underAccuracy: 18.75,
    // then there was twice as much for a quarter of it.
    overAccuracy: 25,
    underTimeshare: 25,
    overTimeshare: 25,
  })
})

test('a replica that nobody needs is one too many', () => {
  expect(elasticityOf([{ atMs: 0, demanded: 0, supplied: 2 }], 1000)).toMatchObject({
    overAccuracy: 200,
    overTimeshare: 100,
  })
})

test('without time there is no score', () => {
  expect(elasticityOf([], 1000)).toBeNull()
  expect(elasticityOf([{ atMs: 1000, demanded: 1, supplied: 1 }], 1000)).toBeNull()
})
