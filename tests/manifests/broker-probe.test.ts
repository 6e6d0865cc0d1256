import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { templateOf } from '../shared/production.ts'

/** The startup probe of production's brokers, with the words of Kafka's own tool (4.3.1) put into its mouth. */

const TOOL = '/opt/kafka/bin/kafka-topics.sh'

const dir = mkdtempSync(path.join(tmpdir(), 'broker-probe-'))
afterAll(() => rmSync(dir, { recursive: true }))

/** As the tool tells of one partition. */
function partition(isr: string): string {
  return `\tTopic: user-create\tPartition: 3\tLeader: 0\tReplicas: 0,1,2\tIsr: ${isr}\tElr: \tLastKnownElr: \n`
}

function probe(broker: string, said: string, code = 0): number | null {
  const tool = path.join(dir, 'kafka-topics.sh')
  writeFileSync(tool, `#!/bin/bash\ncat <<'END'\n${said}END\nexit ${code}\n`, { mode: 0o755 })
  const [shell, flags, script] = templateOf('kafka').spec.containers[0].startupProbe.exec.command
  expect(script).toContain(TOOL)
  const env = { ...process.env, HOSTNAME: broker }
  return spawnSync(shell, [flags, script.replace(TOOL, tool)], { env }).status
}

test.each([
  ['all are in sync', 'kafka-2', ''],
  ['others lag behind', 'kafka-2', partition('0,2') + partition('2')],
  ['one whose number ends alike lags behind', 'kafka-2', partition('0,2,11')],
])('a broker has started when %s', (_, broker, said) => {
  expect(probe(broker, said)).toBe(0)
})

test.each([
  ['one of its partitions lacks it', 'kafka-2', partition('0,2') + partition('0,1')],
  ['all lack it', 'kafka-0', partition('1,2')],
  ['only others of whose numbers its own is a part are in sync', 'kafka-1', partition('10,21,11')],
  ['the tool gets no answer', 'kafka-2', '', 1],
])('a broker has not started while %s', (_, broker, said, code = 0) => {
  expect(probe(broker, said, code)).not.toBe(0)
})
