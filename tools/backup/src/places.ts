import { quarantineData } from '@tideshop/kit/dead-letter'
import { z } from 'zod'
import type { LineOf } from './file.ts'
import type { Log, Progress } from './kafka.ts'
import { deadTopicNames } from './system.ts'

/**
 * Where things stood, and where they stand after a restore. A log that had lost its beginning begins anew, so an
 * offset becomes its distance from the log's first, counted from where the log here ends. That is exact because no
 * log of the shop has gaps, which the backup made sure of.
 */
export type Places = {
  learn: (lines: readonly LineOf<'log' | 'progress'>[]) => void
  /** Records as they are to be written. */
  moved: (records: readonly LineOf<'record'>[], now: Date) => LineOf<'record'>[]
  /** How far each group is, in the restored logs. */
  progress: () => Progress[]
  /** The logs as they have to be when all is written. */
  ends: () => Log[]
}

const letter = z.looseObject({ data: quarantineData })

export function placesIn(empty: readonly Log[]): Places {
  const here = new Map(empty.map(({ topic, to }) => [topic, to]))
  const logs = new Map<string, Log>()
  const groups = new Map<string, Progress>()

  /** To be added to an offset; 0 in a log that the backup does not know. */
  function shift(topic: string, partition: number): bigint {
    const from = logs.get(topic)?.from[partition] ?? 0n
    return (here.get(topic)?.[partition] ?? from) - from
  }

  /**
   * What still waits gets the time of now: a broker counts its retention from it, and would take the work of a backup
   * that is older than that away before anybody has heard of it.
   */
  function timeOf({ topic, partition, offset, time }: LineOf<'record'>, now: Date): string {
    const next = groups.get(topic)?.next[partition] ?? null
    return next === null || BigInt(offset) >= next ? String(now.getTime()) : time
  }

  /** A letter points to its record, which has moved too, and so does what says that it is settled. */
  function letterIn({ topic, value }: LineOf<'record'>): string | null {
    if (value === null || !deadTopicNames.has(topic)) return value
    const { data: envelope } = letter.safeParse(jsonIn(value))
    if (!envelope || envelope.data.offset === '') return value
    const { data } = envelope
    const offset = String(BigInt(data.offset) + shift(data.topic, data.partition))
    if (offset === data.offset) return value
    return Buffer.from(JSON.stringify({ ...envelope, data: { ...data, offset } })).toString('base64')
  }

  return {
    learn(lines) {
      for (const line of lines) {
        if (line.kind === 'log') {
          logs.set(line.topic, { topic: line.topic, from: line.from.map(BigInt), to: line.to.map(BigInt) })
        } else {
          const next = line.next.map((offset) => (offset === null ? null : BigInt(offset)))
          groups.set(line.topic, { group: line.group, topic: line.topic, next })
        }
      }
    },

    moved(records, now) {
      return records.map((record) => ({ ...record, time: timeOf(record, now), value: letterIn(record) }))
    },

    progress() {
      return [...groups.values()].map(({ group, topic, next }) => ({
        group,
        topic,
        // What a group had acknowledged may be gone from the log, but nothing behind it.
        next: next.map((offset, partition) => {
          if (offset === null) return null
          const first = here.get(topic)?.[partition] ?? 0n
          const moved = offset + shift(topic, partition)
          return moved > first ? moved : first
        }),
      }))
    },

    ends() {
      return [...logs.values()].map(({ topic, from, to }) => ({
        topic,
        from: [...(here.get(topic) ?? from)],
        to: to.map((end, partition) => end + shift(topic, partition)),
      }))
    },
  }
}

function jsonIn(value: string): unknown {
  try {
    return JSON.parse(Buffer.from(value, 'base64').toString('utf8'))
  } catch {
    return undefined
  }
}
