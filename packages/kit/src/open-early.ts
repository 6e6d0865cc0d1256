import { openEarly } from './early-port.ts'

/** Loaded before a service: `node --import @tideshop/kit/open-early src/main.ts`. */
openEarly(Number(process.env['PORT']))
