import { expect, test } from 'vitest'
import { edited, feedBatches, hearAgainSoon, kafkaNote, oursOf, publishAgainSoon } from './build-daprd.ts'

const bulk = '\tif isBulkSubscribe {\n\t\tticker := time.NewTicker(wait)\n\t} else {\n\t}\n'
const consumer = `func ConsumeClaim() error {\n${bulk}}\n`

test('the partitions of a bulk subscription feed one batch before anything else happens to them', () => {
  const [first] = edited(consumer, feedBatches).split('\t\tticker')
  expect(first).toBe(
    'func ConsumeClaim() error {\n\tif isBulkSubscribe {\n\t\treturn consumer.feed(session, claim, handlerConfig, b)\n',
  )
})

test('nothing else is changed', () => {
  expect(edited(consumer, feedBatches).replace(/.*feed\(.*\n/, '')).toBe(consumer)
})

test('a producer asks for a broker that was away each second, by topic and by partition', () => {
  const producer = 'a: breaker.New(3, 1, 10*time.Second),\nb: breaker.New(3, 1, 10*time.Second),\n'
  expect(edited(producer, publishAgainSoon)).toBe(
    'a: breaker.New(3, 1, time.Second),\nb: breaker.New(3, 1, time.Second),\n',
  )
})

test('a consumer is back within a moment, and its settings are those of the component otherwise', () => {
  const init = '\tconfig := sarama.NewConfig()\n\tconfig.Version = meta.internalVersion\n'
  const lines = edited(init, hearAgainSoon).split('\n')
  expect(lines.filter((line) => !line.includes('.Retry.')).join('\n')).toBe(init)
  expect(lines).toContain('\tconfig.Consumer.Group.Rebalance.Retry.Backoff = 200 * time.Millisecond')
})

test.each([
  ['lacks the place', consumer.replace('isBulkSubscribe', 'bulk')],
  ['has it twice', consumer + bulk],
])('a module that %s is refused, and where to look is told', (_how, changed) => {
  expect(() => edited(changed, feedBatches)).toThrow(/components-contrib changed: look at its .*consumer\.go/)
})

test('a daprd tells by its version whose bulk subscription it has', () => {
  expect(oursOf('1.18.2')).toBe('1.18.2-tideshop.3')
  expect(kafkaNote(oursOf('1.18.2'))).toMatch(/one batch .* from all partitions/)
  expect(kafkaNote('1.18.2')).toMatch(/as released: start with BATCH_WAIT_MS=500/)
})
