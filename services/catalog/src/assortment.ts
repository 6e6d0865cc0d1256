import type { Row } from '@tideshop/kit/aggregates'
import type { Category } from './category.ts'
import { type Good, putGood } from './good.ts'
import type { Sale } from './sale.ts'

/**
 * What the shop opens with: a harbour store with ten shelves, six things on each, in four finishes. Made of hand-written
 * parts, the same at each start, so that two shops have the same goods and a test can name one.
 */

type Product = { name: string; about: string; priceCents: number }
type Finish = { name: string; about: string; tint: string; addedCents: number }
type Shelf = Category & { code: string; products: readonly Product[]; finishes: readonly Finish[] }

const shelves: readonly Shelf[] = [
  {
    id: 'lamps',
    name: 'Lamps',
    code: 'LMP',
    products: [
      {
        name: 'Harbour Lantern',
        about:
          'A storm lantern for table or hook, with a wick of cotton and a glass that can be taken out for cleaning.',
        priceCents: 3990,
      },
      {
        name: 'Pier Table Lamp',
        about:
          'A low lamp with a wide shade, made for the corner of a desk. The switch sits where the hand finds it.',
        priceCents: 6450,
      },
      {
        name: 'Signal Wall Light',
        about: 'Throws its light up and down the wall. For hallways, porches and the stairs to the cellar.',
        priceCents: 5290,
      },
      {
        name: 'Chart Room Lamp',
        about: 'A jointed arm that stays where it is put, and a shade that keeps the light on the paper.',
        priceCents: 8900,
      },
      {
        name: 'Buoy Night Light',
        about: 'A small light for the bedside that fades to dark over half an hour.',
        priceCents: 2450,
      },
      {
        name: 'Fog Pendant',
        about: 'Blown glass on a long cord; the light is soft and comes from everywhere.',
        priceCents: 11900,
      },
    ],
    finishes: [
      {
        name: 'brass',
        about: 'Solid brass, which darkens with the years.',
        tint: '#b08d3c',
        addedCents: 1200,
      },
      { name: 'black', about: 'Powder coated steel, matt black.', tint: '#3a3f45', addedCents: 0 },
      { name: 'sea green', about: 'Enamel in the green of shallow water.', tint: '#3f8f83', addedCents: 400 },
      {
        name: 'signal red',
        about: 'Enamel in the red of a port-hand buoy.',
        tint: '#b5382f',
        addedCents: 400,
      },
    ],
  },
  {
    id: 'tableware',
    name: 'Tableware',
    code: 'TAB',
    products: [
      {
        name: 'Breakwater Mug',
        about: 'A heavy mug for cold hands; holds three decilitres and fits under most coffee machines.',
        priceCents: 1490,
      },
      {
        name: 'Captain’s Bowl',
        about: 'Deep enough for soup, wide enough for salad. Stacks without chipping.',
        priceCents: 1790,
      },
      {
        name: 'Low Tide Plate',
        about: 'A dinner plate with a rim that keeps the sauce on board.',
        priceCents: 1950,
      },
      { name: 'Galley Jug', about: 'A jug of one litre with a lip that does not drip.', priceCents: 3490 },
      {
        name: 'Quay Espresso Cup',
        about: 'A thick-walled cup without a handle, and its saucer.',
        priceCents: 1190,
      },
      {
        name: 'Ferry Butter Dish',
        about: 'Keeps half a pound of butter soft and away from the cat.',
        priceCents: 2690,
      },
    ],
    finishes: [
      { name: 'chalk', about: 'White glaze with a raw foot.', tint: '#cfc8b8', addedCents: 0 },
      { name: 'deep blue', about: 'Cobalt glaze, darker where it pools.', tint: '#2b4c7e', addedCents: 0 },
      { name: 'kelp', about: 'An olive glaze with fine speckles.', tint: '#6b7a3a', addedCents: 100 },
      { name: 'sand', about: 'Unglazed outside, clear glaze inside.', tint: '#c9a56b', addedCents: 100 },
    ],
  },
  {
    id: 'textiles',
    name: 'Blankets and textiles',
    code: 'TEX',
    products: [
      {
        name: 'Night Watch Blanket',
        about: 'Woven from lambswool, large enough for two on a bench.',
        priceCents: 12900,
      },
      {
        name: 'Deck Cushion',
        about: 'A firm cushion with a cover that comes off for the wash.',
        priceCents: 3290,
      },
      {
        name: 'Sailcloth Apron',
        about: 'A cook’s apron with a deep pocket and straps that cross at the back.',
        priceCents: 3950,
      },
      {
        name: 'Linen Tea Towel, pair',
        about: 'Two towels that dry glasses without a trace and get softer with each wash.',
        priceCents: 2190,
      },
      {
        name: 'Boathouse Bath Towel',
        about: 'A waffle weave that dries fast, even in a bathroom without a window.',
        priceCents: 4490,
      },
      {
        name: 'Regatta Table Runner',
        about: 'A runner of heavy cotton, hemmed by hand, for a table of six.',
        priceCents: 3690,
      },
    ],
    finishes: [
      { name: 'navy stripe', about: 'Narrow stripes, navy on natural.', tint: '#27406b', addedCents: 0 },
      { name: 'oatmeal', about: 'Undyed, the colour of the fibre.', tint: '#bfae8e', addedCents: 0 },
      { name: 'rust', about: 'Dyed with madder.', tint: '#a65331', addedCents: 300 },
      { name: 'heather', about: 'A grey with a little violet in it.', tint: '#7d7290', addedCents: 300 },
    ],
  },
  {
    id: 'deck-gear',
    name: 'Deck gear',
    code: 'DCK',
    products: [
      {
        name: 'Mooring Line, 12 m',
        about: 'Braided polyester of 14 mm with a spliced eye; quiet on the cleat and easy to coil.',
        priceCents: 4890,
      },
      {
        name: 'Dry Bag, 30 l',
        about: 'Rolls shut against rain and spray. Welded seams, one shoulder strap.',
        priceCents: 3990,
      },
      {
        name: 'Rigging Knife',
        about: 'A blade, a marlin spike and a shackle key that fold into one handle.',
        priceCents: 4590,
      },
      {
        name: 'Boat Hook',
        about: 'Telescopic, from 1.2 to 2.1 metres, with a tip that floats.',
        priceCents: 3450,
      },
      {
        name: 'Fender',
        about: 'A cylinder of 60 cm that bounces back, with a line already tied on.',
        priceCents: 2750,
      },
      {
        name: 'Life Vest',
        about: 'An inflatable vest of 165 N, cut so that one can still row.',
        priceCents: 9900,
      },
    ],
    finishes: [
      { name: 'navy', about: 'Navy blue, as the old hands have it.', tint: '#24385e', addedCents: 0 },
      { name: 'orange', about: 'Orange, to be seen from far away.', tint: '#d9702b', addedCents: 0 },
      { name: 'grey', about: 'Light grey, which shows no salt.', tint: '#8d979e', addedCents: 0 },
      { name: 'yellow', about: 'Yellow, with a reflecting stripe.', tint: '#d8b11f', addedCents: 250 },
    ],
  },
  {
    id: 'outerwear',
    name: 'Jackets and boots',
    code: 'OUT',
    products: [
      {
        name: 'Squall Jacket',
        about: 'Keeps out rain and wind for a whole day. Taped seams, a hood that turns with the head.',
        priceCents: 18900,
      },
      {
        name: 'Fisherman’s Sweater',
        about: 'Knitted in one piece from oiled wool, so that the sleeves stay where they are.',
        priceCents: 11900,
      },
      {
        name: 'Rubber Boots',
        about: 'Natural rubber over a cotton lining. The sole holds on wet wood.',
        priceCents: 7900,
      },
      { name: 'Watch Cap', about: 'A cap of merino wool that covers the ears.', priceCents: 2950 },
      {
        name: 'Rope Work Gloves',
        about: 'Goat leather with double palms; two fingers are left free for knots.',
        priceCents: 2690,
      },
      {
        name: 'Oilskin Hat',
        about: 'A broad brim, longer at the back, and a strap against gusts.',
        priceCents: 4250,
      },
    ],
    finishes: [
      {
        name: 'size S',
        about: 'Size S; for a chest of 88 to 94 cm or feet of 37 and 38.',
        tint: '#4a6a8a',
        addedCents: 0,
      },
      {
        name: 'size M',
        about: 'Size M; for a chest of 95 to 102 cm or feet of 39 to 41.',
        tint: '#3d5a6c',
        addedCents: 0,
      },
      {
        name: 'size L',
        about: 'Size L; for a chest of 103 to 110 cm or feet of 42 and 43.',
        tint: '#5d6b4c',
        addedCents: 0,
      },
      {
        name: 'size XL',
        about: 'Size XL; for a chest of 111 to 120 cm or feet of 44 to 46.',
        tint: '#6c4a4a',
        addedCents: 0,
      },
    ],
  },
  {
    id: 'tools',
    name: 'Tools',
    code: 'TOL',
    products: [
      {
        name: 'Shipwright’s Mallet',
        about: 'A round mallet that does not mark the chisel.',
        priceCents: 3290,
      },
      {
        name: 'Bevel-edge Chisel',
        about: 'Forged, hardened, and ground sharp enough to begin at once.',
        priceCents: 2890,
      },
      {
        name: 'Caulking Iron',
        about: 'Drives cotton into a seam, or opens the lid of a stubborn paint tin.',
        priceCents: 2490,
      },
      { name: 'Spokeshave', about: 'For round edges: oars, handles, the leg of a chair.', priceCents: 5490 },
      {
        name: 'Folding Rule, 2 m',
        about: 'Ten limbs with steel joints, marked on both sides.',
        priceCents: 1690,
      },
      { name: 'Block Plane', about: 'Fits one hand. The mouth closes for end grain.', priceCents: 7490 },
    ],
    finishes: [
      { name: 'in ash', about: 'Handle of ash, oiled.', tint: '#c8a878', addedCents: 0 },
      { name: 'in walnut', about: 'Handle of walnut, waxed.', tint: '#6e4b32', addedCents: 700 },
      { name: 'in beech', about: 'Handle of steamed beech.', tint: '#b5835a', addedCents: 0 },
      {
        name: 'in plum',
        about: 'Handle of plum wood; each one different.',
        tint: '#8a4b4f',
        addedCents: 900,
      },
    ],
  },
  {
    id: 'garden',
    name: 'Garden',
    code: 'GRD',
    products: [
      {
        name: 'Watering Can, 9 l',
        about: 'Balanced when full. The rose can be turned up for seedlings.',
        priceCents: 4490,
      },
      {
        name: 'Dune Planter',
        about: 'A trough for herbs, with a hole that can be closed.',
        priceCents: 5290,
      },
      { name: 'Hand Fork', about: 'Three tines that go under roots without cutting them.', priceCents: 1890 },
      {
        name: 'Bird House',
        about: 'For tits and redstarts; the roof lifts for the yearly cleaning.',
        priceCents: 3190,
      },
      { name: 'Seed Tin', about: 'A box with twelve compartments, one for each month.', priceCents: 2290 },
      { name: 'Hose Reel', about: 'Takes thirty metres of hose and turns with one hand.', priceCents: 6890 },
    ],
    finishes: [
      { name: 'zinc', about: 'Hot-dip galvanised; grows a grey bloom.', tint: '#9aa3a8', addedCents: 0 },
      { name: 'moss', about: 'Painted in moss green.', tint: '#4f6b3a', addedCents: 200 },
      { name: 'terracotta', about: 'Painted in the red of old pots.', tint: '#b4613f', addedCents: 200 },
      { name: 'bluebell', about: 'Painted in a blue that bees like.', tint: '#5670a8', addedCents: 200 },
    ],
  },
  {
    id: 'stationery',
    name: 'Stationery',
    code: 'STA',
    products: [
      {
        name: 'Logbook',
        about: 'A bound book of 192 numbered pages that lies flat at any of them.',
        priceCents: 2490,
      },
      {
        name: 'Chart Pencil, six',
        about: 'Six soft pencils that write on damp paper and can be rubbed out.',
        priceCents: 990,
      },
      {
        name: 'Fountain Pen',
        about: 'A steel nib of medium width and a cartridge in reserve.',
        priceCents: 4900,
      },
      {
        name: 'Letter Set',
        about: 'Twenty sheets and twenty lined envelopes in a box that is worth keeping.',
        priceCents: 1890,
      },
      {
        name: 'Tide Calendar',
        about: 'One page for each month, with high and low water and the moon.',
        priceCents: 1690,
      },
      { name: 'Desk Tray', about: 'Keeps pens, keys and one cup of tea apart.', priceCents: 3490 },
    ],
    finishes: [
      { name: 'ink', about: 'Bound in cloth of blue-black.', tint: '#2a3550', addedCents: 0 },
      { name: 'coral', about: 'In a coral that nobody mislays.', tint: '#d46a5e', addedCents: 0 },
      { name: 'fern', about: 'In a quiet green.', tint: '#557a55', addedCents: 0 },
      { name: 'cork', about: 'Covered in pressed cork.', tint: '#a9835a', addedCents: 300 },
    ],
  },
  {
    id: 'toys',
    name: 'Toys and games',
    code: 'TOY',
    products: [
      {
        name: 'Wooden Tugboat',
        about: 'Floats upright, pulls two barges, and has no small parts.',
        priceCents: 2990,
      },
      {
        name: 'Lighthouse Blocks',
        about: 'Forty blocks and one lamp room, for towers of up to a metre.',
        priceCents: 3890,
      },
      { name: 'Knot Board', about: 'A board, two lines and a booklet with twenty knots.', priceCents: 2490 },
      {
        name: 'Memory of the Shore',
        about: 'Thirty-six pairs of shells, feet and feathers.',
        priceCents: 1990,
      },
      { name: 'Wind-up Crab', about: 'Walks sideways for a minute.', priceCents: 1490 },
      {
        name: 'Stunt Kite',
        about: 'Two lines, for winds from three to six. Comes with a bag and a repair kit.',
        priceCents: 4990,
      },
    ],
    finishes: [
      { name: 'red', about: 'With a coat of red that withstands teeth.', tint: '#c23b3b', addedCents: 0 },
      { name: 'blue', about: 'With a coat of blue that withstands teeth.', tint: '#3b6fc2', addedCents: 0 },
      {
        name: 'yellow',
        about: 'With a coat of yellow that withstands teeth.',
        tint: '#d9b02c',
        addedCents: 0,
      },
      { name: 'natural', about: 'Oiled and left as it grew.', tint: '#c4a57a', addedCents: 0 },
    ],
  },
  {
    id: 'pantry',
    name: 'Pantry',
    code: 'PAN',
    products: [
      {
        name: 'Ship’s Biscuit',
        about: 'Baked twice, with rye and caraway; keeps for a year and a crossing.',
        priceCents: 590,
      },
      {
        name: 'Fish Soup',
        about: 'Cod, fennel and saffron in a jar for two. Warm it, do not boil it.',
        priceCents: 890,
      },
      { name: 'Sea Salt', about: 'Flakes from open pans, dried by wind.', priceCents: 690 },
      { name: 'Heather Honey', about: 'Dark and firm, from hives behind the dunes.', priceCents: 990 },
      {
        name: 'Breakfast Tea',
        about: 'Strong leaves that bear milk, blended for hard water.',
        priceCents: 790,
      },
      { name: 'Rum Fudge', about: 'Boiled in a copper pot, cut by hand.', priceCents: 650 },
    ],
    finishes: [
      { name: '250 g', about: 'In a tin of 250 g.', tint: '#7a8f5a', addedCents: 0 },
      { name: '500 g', about: 'In a tin of 500 g.', tint: '#8f6f4a', addedCents: 450 },
      { name: '1 kg', about: 'In a bag of one kilogram.', tint: '#5a7a8f', addedCents: 1100 },
      {
        name: 'gift box',
        about: '250 g in a wooden box with a lid that slides.',
        tint: '#a0583c',
        addedCents: 800,
      },
    ],
  },
]

export const categories: readonly Category[] = shelves.map(({ id, name }) => ({ id, name }))

/** Pieces of each good when the shop opens. */
const OPENING_PIECES = 120

export const assortment: readonly Row<Good>[] = shelves.flatMap((shelf) =>
  shelf.products.flatMap((product, p) =>
    shelf.finishes.map((finish, f) => ({
      id: `${shelf.code}-${twoDigits(p + 1)}${twoDigits(f + 1)}`,
      version: 1,
      body: goodOf(shelf, product, finish),
    })),
  ),
)

function goodOf(shelf: Shelf, product: Product, finish: Finish): Good {
  const wish = {
    name: `${product.name}, ${finish.name}`,
    description: `${product.about} ${finish.about}`,
    category: shelf.id,
    priceCents: product.priceCents + finish.addedCents,
    tint: finish.tint,
    openingPieces: OPENING_PIECES,
  }
  return putGood(null, wish, shelf)
}

const DAY_MS = 86_400_000
const WEEK_MS = 7 * DAY_MS
/** 1970 began on a Thursday; the shop's weeks begin on Monday. */
const FIRST_MONDAY_MS = 4 * DAY_MS
/** Sales of one week, and how far apart in the assortment their goods are: no two on one shelf. */
const WEEKLY_SALES = 4
const STRIDE = 59

/** Three quarters of the price, for this week and for the next, which is still to come. The same all week long. */
export function weeklySales(now: Date): Row<Sale>[] {
  const week = Math.floor((now.getTime() - FIRST_MONDAY_MS) / WEEK_MS)
  return [week, week + 1].flatMap(salesOfWeek)
}

function salesOfWeek(week: number): Row<Sale>[] {
  const startsAt = new Date(FIRST_MONDAY_MS + week * WEEK_MS)
  return Array.from({ length: WEEKLY_SALES }, (_, index) => {
    const { id, body } = assortment[(week + index * STRIDE) % assortment.length] as Row<Good>
    return {
      id: `${startsAt.toISOString().slice(0, 10)}-${id.toLowerCase()}`,
      version: 1,
      body: {
        sku: id,
        title: `This week: ${body.name}`,
        priceCents: Math.round((body.priceCents * 3) / 4),
        startsAt: startsAt.toISOString(),
        endsAt: new Date(startsAt.getTime() + WEEK_MS).toISOString(),
        perCustomerMax: 3,
      },
    }
  })
}

function twoDigits(number: number): string {
  return String(number).padStart(2, '0')
}
