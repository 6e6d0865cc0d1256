import type { Decision } from '@tideshop/kit/aggregates'
import { Refusal } from '@tideshop/kit/refusal'

/**
 * What one customer has of one sale, by order: reserved or bought. An order that gave back is remembered with 0 pieces for a
 * while, so that a late repeat takes nothing.
 */
export type Allowance = { orders: readonly { orderId: string; pieces: number }[] }

/** Orders that gave back and are remembered. Those that have pieces are never more than the sale allows a customer. */
export const GIVEN_BACK_MAX = 100

export type Take = { id: string; orderId: string; pieces: number; title: string; max: number }
export type GiveBack = { id: string; orderId: string }

export function allowanceId(saleId: string, customerId: string): string {
  return `${saleId}/${customerId}`
}

/** A second time for the same order is the first. */
export function takeAllowance(current: Allowance | null, wish: Take): Decision<Allowance> {
  const { orderId, pieces, title, max } = wish
  const orders = current?.orders ?? []
  const mine = orders.find((order) => order.orderId === orderId)
  if (mine?.pieces === 0) throw new Refusal('conflict', 'the order has been taken back')
  if (current !== null && mine !== undefined) return { next: current, tell: [] }
  const taken = orders.reduce((sum, order) => sum + order.pieces, 0)
  if (taken + pieces > max) {
    const already = taken > 0 ? `, and ${taken} are yours already` : ''
    throw new Refusal('conflict', `a customer may have ${max} in the sale “${title}”${already}`)
  }
  return { next: { orders: [...orders, { orderId, pieces }] }, tell: [] }
}

export function giveBackAllowance(current: Allowance | null, { orderId }: GiveBack): Decision<Allowance> {
  const orders = current?.orders ?? []
  if (current !== null && orders.some((order) => order.orderId === orderId && order.pieces === 0)) {
    return { next: current, tell: [] }
  }
  const others = orders.filter((order) => order.orderId !== orderId)
  const over = others.filter(({ pieces }) => pieces === 0).slice(0, 1 - GIVEN_BACK_MAX)
  const kept = others.filter((order) => !over.includes(order))
  return { next: { orders: [...kept, { orderId, pieces: 0 }] }, tell: [] }
}
