import type { Baskets } from '../src/baskets.ts'

const nobody = () => Promise.reject(new Error('nobody asked for a basket'))

/** Where a test is about something else. */
export const noBaskets: Baskets = { find: nobody, change: nobody }
