import type { Baskets } from '@tideshop/clients/baskets'
import { Refusal } from '@tideshop/kit/refusal'

/**
 * What a guest has in the basket is put into that of the account that has just signed in, where the account has none of it; then
 * it is taken from the guest. Each step says how something shall be, so whoever dies in between has lost nothing, and the next
 * sign-in does the rest. What the guest changes meanwhile stays the guest's.
 */
export async function takeOver(baskets: Baskets, guest: string, account: string): Promise<void> {
  const { lines, voucherCodes } = await baskets.find(guest)
  if (lines.length === 0 && voucherCodes.length === 0) return
  const own = await baskets.find(account)
  const known = new Set(own.lines.map(({ sku }) => sku))
  const taken: typeof lines = []
  for (const line of lines) {
    if (!known.has(line.sku) && !(await isPut(baskets, account, line))) break
    taken.push(line)
  }
  if (own.voucherCodes.length === 0 && voucherCodes.length > 0)
    await baskets.change(account, { kind: 'put-vouchers', voucherCodes })
  await baskets.change(guest, { kind: 'take-ordered', lines: taken })
}

/** False where the basket of the account is full: the rest stays with the guest. */
async function isPut(
  baskets: Baskets,
  account: string,
  line: { sku: string; quantity: number },
): Promise<boolean> {
  try {
    await baskets.change(account, { kind: 'put-line', ...line })
    return true
  } catch (error) {
    if (error instanceof Refusal && error.code === 'conflict') return false
    throw error
  }
}
