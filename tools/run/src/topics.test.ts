import { MESSAGE_BYTES_MAX, PARTITIONS, topics } from '@tideshop/contracts/topics'
import { expect, test } from 'vitest'
import { wantedTopics } from './topics.ts'

test('every topic is spread over partitions and has one quiet place for its dead letters', () => {
  const wanted = wantedTopics()
  expect(wanted).toHaveLength(2 * topics.length)
  for (const { name } of topics) {
    const limits = { 'max.message.bytes': String(MESSAGE_BYTES_MAX) }
    expect(wanted).toContainEqual({ name, partitions: PARTITIONS, configs: limits })
    expect(wanted).toContainEqual(expect.objectContaining({ name: `${name}.dead`, partitions: 1 }))
  }
})

test('a dead letter holds the largest message as base64, and waits for months', () => {
  const dead = wantedTopics().find((topic) => topic.name.endsWith('.dead'))
  expect(Number(dead?.configs['max.message.bytes'])).toBeGreaterThan((MESSAGE_BYTES_MAX * 4) / 3)
  expect(Number(dead?.configs['retention.ms'])).toBeGreaterThan(60 * 24 * 3600 * 1000)
})
