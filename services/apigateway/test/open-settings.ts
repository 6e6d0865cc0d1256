import { defaultSettings } from '@tideshop/contracts/settings'
import type { Settings } from '../src/settings.ts'

/** Of a shop that nobody has changed, for a test that is about something else. */
export const openSettings: Settings = {
  known: () => defaultSettings,
  find: async () => defaultSettings,
  change: () => Promise.reject(new Error('nobody was to change the settings')),
}
