import { expect, test } from 'vitest'
import { feedingBatches, kafkaNote, oursOf } from './build-daprd.ts'

const bulk = '\tif isBulkSubscribe {\n\t\tticker := time.NewTicker(wait)\n\t} else {\n\t}\n'
const consumer = `func ConsumeClaim() error {\n${bulk}}\n`

test('the partitions of a bulk subscription feed one batch before anything else happens to them', () => {
  const [first] = feedingBatches(consumer).split('\t\tticker')
  expect(first).toBe(
    'func ConsumeClaim() error {\n\tif isBulkSubscribe {\n\t\treturn consumer.feed(session, claim, handlerConfig, b)\n',
  )
})

test('nothing else is changed', () => {
  expect(feedingBatches(consumer).replace(/.*feed\(.*\n/, '')).toBe(consumer)
})

test.each([
  ['lacks the place', consumer.replace('isBulkSubscribe', 'bulk')],
  ['has it twice', consumer + bulk],
])('a components-contrib that %s is refused, and where to look is told', (_how, changed) => {
  expect(() => feedingBatches(changed)).toThrow(/components-contrib changed: look at .*consumer\.go/)
})

test('a daprd tells by its version whose bulk subscription it has', () => {
  expect(oursOf('1.18.2')).toBe('1.18.2-tideshop.1')
  expect(kafkaNote(oursOf('1.18.2'))).toMatch(/one batch .* from all partitions/)
  expect(kafkaNote('1.18.2')).toMatch(/as released: start with BATCH_WAIT_MS=500/)
})
