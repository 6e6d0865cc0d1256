import { Producer } from '@platformatic/kafka'
import { MESSAGE_BYTES_MAX } from '@tideshop/contracts/topics'
import type { Shop } from '@tideshop/run/shop'
import { Pool } from 'undici'
import { BrokenRun } from './broken-run.ts'
import { recordOf, type Wish } from './wishes.ts'

/** How operations come into the shop: straight to `user-create`, or by its front door. */
export type Offer = {
  /** Sends without waiting for an answer. `dueAt` are times of `performance.now()`, one per wish. */
  send: (wishes: readonly Wish[], dueAt: (index: number) => number) => void
  /** Resolves when every answer has come. */
  answered: () => Promise<void>
  tally: Tally
  close: () => Promise<void>
}

/** Called for each that the shop has promised to end. Times are those of `performance.now()`. */
export type Heard = (wish: Wish, acceptedAt: number, dueAt: number) => void

export type Tally = {
  accepted: number
  /** 503 `unavailable`, or never sent since too many waited already: nothing was done. */
  refused: number
  /** Anything else: it may have been done. */
  unknown: number
  /** Milliseconds from due to accepted. */
  answerMs: number[]
}

/** Callers that wait at once; more would only fill the memory of this process. */
const WAITING_MAX = 4000
const CONNECTIONS_MAX = 128
const ANSWER_MS_MAX = 15_000
const STORED = -1
/** Records of one send at most, and bytes of one without padding. */
const SEND_MAX = 1000
const RECORD_BYTES = 500

/** `paddingBytes` are added to each record. */
type Target = { shop: Shop; paddingBytes: number }

/** Each record is answered when the broker has it for sure (`acks` of all). */
export function offerToTopic({ shop, paddingBytes }: Target, heard: Heard): Offer {
  const producer = new Producer({
    clientId: 'bench',
    bootstrapBrokers: shop.kafkaBrokers.split(','),
    retries: 0,
  })
  const tally = newTally()
  const open = new Set<Promise<unknown>>()
  let broken: Error | null = null
  // Less than a batch may have, even if all of them went to one partition.
  const atOnce = Math.min(SEND_MAX, Math.floor(MESSAGE_BYTES_MAX / (RECORD_BYTES + paddingBytes)))
  const sendSome: Offer['send'] = (wishes, dueAt) => {
    const messages = wishes.map((wish) => recordOf(wish, paddingBytes))
    const sent = producer
      .send({ messages, acks: STORED })
      .then(() => {
        const at = performance.now()
        wishes.forEach((wish, index) => {
          accept(tally, heard, { wish, at, dueAt: dueAt(index) })
        })
      })
      .catch((error: Error) => {
        broken = error
      })
      .finally(() => open.delete(sent))
    open.add(sent)
  }
  return {
    tally,
    send(wishes, dueAt) {
      for (let first = 0; first < wishes.length; first += atOnce) {
        sendSome(wishes.slice(first, first + atOnce), (index) => dueAt(first + index))
      }
    },
    async answered() {
      await Promise.all(open)
      if (broken !== null) throw new BrokenRun(`the broker did not take what was offered: ${broken}`)
    },
    close: async () => producer.close(),
  }
}

/** Each is a caller of its own, over as many connections as a busy front door has. */
export function offerAtDoor(shop: Shop, heard: Heard): Offer {
  const pool = new Pool(shop.url, {
    connections: CONNECTIONS_MAX,
    pipelining: 1,
    headersTimeout: ANSWER_MS_MAX,
    bodyTimeout: ANSWER_MS_MAX,
  })
  const tally = newTally()
  const open = new Set<Promise<void>>()
  return {
    tally,
    send(wishes, dueAt) {
      wishes.forEach((wish, index) => {
        if (open.size >= WAITING_MAX) {
          tally.refused += 1
          return
        }
        const asked = postOne(pool, { wish, dueAt: dueAt(index) }, tally, heard).finally(() =>
          open.delete(asked),
        )
        open.add(asked)
      })
    },
    async answered() {
      await Promise.all(open)
    },
    close: () => pool.close(),
  }
}

function newTally(): Tally {
  return { accepted: 0, refused: 0, unknown: 0, answerMs: [] }
}

function accept(
  tally: Tally,
  heard: Heard,
  { wish, at, dueAt }: { wish: Wish; at: number; dueAt: number },
): void {
  tally.accepted += 1
  tally.answerMs.push(at - dueAt)
  heard(wish, at, dueAt)
}

type Due = { wish: Wish; dueAt: number }

async function postOne(pool: Pool, { wish, dueAt }: Due, tally: Tally, heard: Heard): Promise<void> {
  try {
    const { statusCode, body } = await pool.request({
      method: 'POST',
      path: '/operation/create/user-create',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ name: wish.name }),
    })
    const said = (await body.json()) as { uuid?: string; title?: string }
    const at = performance.now()
    if (statusCode === 202 && said.uuid !== undefined) {
      accept(tally, heard, { wish: { ...wish, operationId: said.uuid, userId: null }, at, dueAt })
    } else if (said.title === 'unavailable') {
      tally.refused += 1
    } else {
      tally.unknown += 1
    }
  } catch {
    tally.unknown += 1
  }
}
