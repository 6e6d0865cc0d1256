/** Kubernetes' way to write a number, `1500m`, `2k` or `3Mi`, as a number. */
export function quantity(written: string): number {
  const [, number = '', unit = ''] = /^([+-]?[\d.]+(?:[eE][+-]?\d+)?)([a-zA-Z]*)$/.exec(written) ?? []
  const times = TIMES[unit]
  if (number === '' || times === undefined) throw new Error(`"${written}" is no quantity of Kubernetes`)
  return Number(number) * times
}

const TIMES: Record<string, number> = {
  n: 1e-9,
  u: 1e-6,
  m: 1e-3,
  '': 1,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
}
