import { createClient } from '@connectrpc/connect'
import { Consumer, Producer } from '@platformatic/kafka'
import { userApproveResponse } from '@tideshop/contracts/approvals'
import { Pricing } from '@tideshop/contracts/gen/pricing_pb'
import { userApprove } from '@tideshop/contracts/users'
import type { Outgoing } from '@tideshop/kit/event'
import { type GrpcSidecar, grpcSidecarOn } from '@tideshop/kit/grpc-invoke'
import { mongoClient } from '@tideshop/kit/mongo'
import type { Replica } from '@tideshop/run/replica'
import type { Shop } from '@tideshop/run/shop'
import type { MongoClient } from 'mongodb'
import { request } from 'undici'
import type { EndedOperation } from './ended-operation.ts'
import { operationsIn } from './ledger.ts'
import { sumOfOffsets } from './records.ts'
import { makeWishes, recordOf, writePending } from './wishes.ts'

/** What counts as the first thing that a service has served, alone and with its sidecar. */
export type FirstServed = {
  /** Before the process starts: what it will find. Returns whether it has served by now. */
  alone: () => Promise<Served>
  withSidecar: () => Promise<Served>
}
/** To be asked over and over; an app that is not there yet has not served. */
export type Served = () => Promise<boolean>

export class Bystander {
  readonly #client: MongoClient
  readonly #producer: Producer
  readonly #consumer: Consumer
  readonly #ended: EndedOperation
  readonly #sidecars: GrpcSidecar[] = []

  constructor(shop: Shop, ended: EndedOperation) {
    const at = { clientId: 'bench', bootstrapBrokers: shop.kafkaBrokers.split(',') }
    this.#client = mongoClient(shop.mongodbUri)
    this.#producer = new Producer(at)
    this.#consumer = new Consumer({ ...at, groupId: `bench-${crypto.randomUUID()}` })
    this.#ended = ended
  }

  of(appId: string, replica: Replica): FirstServed {
    const local = `http://127.0.0.1:${replica.appPort}`
    const { operationId } = this.#ended
    const own = `/operation/get?uuid=${operationId}`
    if (appId === 'apigateway') {
      const asked = async () => () => answers(`${local}/operation/get/${operationId}`)
      return { alone: asked, withSidecar: asked }
    }
    if (appId === 'operations') {
      const invoke = `http://127.0.0.1:${replica.daprHttpPort}/v1.0/invoke/operations/method${own}`
      return {
        alone: async () => () => answers(local + own),
        withSidecar: async () => () => answers(invoke),
      }
    }
    if (appId === 'pricing') {
      const quoted = (port: number) => async () => this.#quotes(port)
      return { alone: quoted(replica.appPort), withSidecar: quoted(replica.daprGrpcPort) }
    }
    return appId === 'users' ? this.#users(local) : this.#approvals(local)
  }

  async close(): Promise<void> {
    await Promise.all([this.#client.close(), this.#producer.close(), this.#consumer.close(true)])
    for (const { close } of this.#sidecars) close()
  }

  /** A price, by gRPC: to the app itself as its sidecar asks it, or to the sidecar. */
  #quotes(port: number): Served {
    const sidecar = grpcSidecarOn(port)
    this.#sidecars.push(sidecar)
    const pricing = createClient(Pricing, sidecar.to('pricing'))
    const question = { lines: [{ sku: 'first', unitPriceCents: 1n, quantity: 1 }] }
    return () =>
      pricing.quote(question).then(
        () => true,
        () => false,
      )
  }

  /** A new user is asked for; served is the question to `approvals`. */
  #users(local: string): FirstServed {
    const newWish = async () => {
      const wishes = makeWishes(1, 'first')
      await writePending(operationsIn(this.#client), wishes, new AbortController().signal)
      return recordOf(wishes[0] as (typeof wishes)[number])
    }
    return {
      alone: async () => {
        const { topic, value } = await newWish()
        return () => takes(local, topic, value)
      },
      withSidecar: async () => {
        const served = await this.#grows(userApprove.topic)
        await this.#producer.send({ messages: [await newWish()], acks: -1 })
        return served
      },
    }
  }

  /** About a user who was decided on: the shop has heard that answer, and hears it again without harm. */
  #approvals(local: string): FirstServed {
    const { userId, name } = this.#ended
    const { topic, event }: Outgoing = userApprove.tell({
      subject: userId,
      version: 1,
      time: new Date().toISOString(),
      data: { userId, name },
    })
    const value = Buffer.from(JSON.stringify(event))
    return {
      alone: async () => () => takes(local, topic, value),
      withSidecar: async () => {
        const served = await this.#grows(userApproveResponse.topic)
        await this.#producer.send({ messages: [{ topic, key: Buffer.from(userId), value }], acks: -1 })
        return served
      },
    }
  }

  async #grows(topic: string): Promise<Served> {
    const count = async () => sumOfOffsets(await this.#consumer.listOffsets({ topics: [topic] }))
    const before = await count()
    return async () => (await count()) > before
  }
}

async function answers(url: string): Promise<boolean> {
  return is200(request(url))
}

/** As a sidecar delivers one record. */
async function takes(local: string, topic: string, value: Buffer): Promise<boolean> {
  const entries = [{ entryId: '0', event: value.toString('base64'), metadata: {} }]
  const headers = { 'content-type': 'application/json' }
  const body = JSON.stringify({ id: crypto.randomUUID(), entries })
  return is200(request(`${local}/events/${topic}`, { method: 'POST', headers, body }), '"SUCCESS"')
}

async function is200(asked: ReturnType<typeof request>, holds = ''): Promise<boolean> {
  try {
    const { statusCode, body } = await asked
    return statusCode === 200 && (await body.text()).includes(holds)
  } catch {
    return false
  }
}
