import { expect, test } from 'vitest'
import { handledIn } from './counts.ts'

test('what is consumed is what will not come again', () => {
  const metrics = `# HELP tideshop_messages_total Messages by outcome
# TYPE tideshop_messages_total counter
tideshop_messages_total{topic="user-create",outcome="done",app="users"} 120
tideshop_messages_total{topic="user-create",outcome="again",app="users"} 7
tideshop_messages_total{topic="user-create",outcome="dead",app="users"} 1
tideshop_messages_total{topic="user-approve-response",outcome="done",app="users"} 1e+06
tideshop_batch_messages_bucket{le="1",topic="user-create",app="users"} 3
`
  expect([...handledIn(metrics)]).toEqual([
    ['user-create', 121],
    ['user-approve-response', 1_000_000],
  ])
})
