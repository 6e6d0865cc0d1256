import type { Machine } from './machine.ts'
import type { Spread } from './statistics.ts'

/** One line per figure: median, and least to most where they differ. */
export function tellSpreads(spreads: Record<string, Spread>, machine: Machine): string {
  const width = Math.max(...Object.keys(spreads).map((name) => name.length))
  const all = Math.max(...Object.values(spreads).map(({ runs }) => runs))
  const lines = Object.entries(spreads).map(([name, { median, min, max, runs }]) => {
    const few = runs < all ? `   in ${runs} of ${all} runs only` : ''
    const range = `${min === max ? '' : `   (${tellNumber(min)} … ${tellNumber(max)})`}${few}`
    return `${name.padEnd(width)}  ${tellNumber(median).padStart(9)}${range}`
  })
  return [...lines, '', tellMachine(machine)].join('\n')
}

export function tellMachine({ cores, processor, memoryGb, node, daprd, kafka, database }: Machine): string {
  const parts = `Node ${node} · daprd ${daprd} · Kafka ${kafka} · database ${database}`
  return `${cores} cores (${processor}), ${memoryGb} GB · ${parts}`
}

/** `12,345` and `0.1234`. */
export function tellNumber(value: number): string {
  return value.toLocaleString('en-US', { maximumFractionDigits: Math.abs(value) >= 100 ? 0 : 3 })
}
