import { expect, test } from 'vitest'
import { PARTITIONS, topicPlans, topics } from './topics.ts'

test('every topic is spread over partitions, with one quiet place for its dead letters and one for probes', () => {
  for (const { name } of topics) {
    expect(topicPlans()).toContainEqual(expect.objectContaining({ name, partitions: PARTITIONS }))
    expect(topicPlans()).toContainEqual(expect.objectContaining({ name: `${name}.dead`, partitions: 1 }))
    expect(topicPlans()).toContainEqual(expect.objectContaining({ name: `${name}.probe`, partitions: 1 }))
  }
})

test('a topic takes what a sidecar sends to one partition at once', () => {
  // Sarama fills a batch up to 1,000,000 bytes unless the component says otherwise.
  for (const { name } of topics) {
    const plan = topicPlans().find((one) => one.name === name)
    expect(Number(plan?.config['max.message.bytes'])).toBeGreaterThan(1_000_000)
  }
})

test('a dead letter outlives an absence', () => {
  const dead = topicPlans().filter(({ name }) => name.endsWith('.dead'))
  for (const { config } of dead)
    expect(Number(config['retention.ms'])).toBeGreaterThanOrEqual(28 * 86_400_000)
})
