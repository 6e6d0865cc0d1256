/**
 * The pictures of the goods, drawn here: one motif for each shelf, in the colour of the good, before a sea that is never
 * twice at the same height. No file, no licence, no request to anybody.
 */

export type Drawn = { sku: string; name: string; category: string; tint: string }

/** Around the middle of a field of 400 by 300; `currentColor` is the good's own. */
const motifs: Record<string, string> = {
  lamps: `<path d="M150 120h100l26 74H124z" fill="currentColor"/><path d="M196 194h8v44h-8z" fill="#4b4b4b"/>
    <ellipse cx="200" cy="244" rx="46" ry="9" fill="currentColor"/><path d="M124 194h152l30 56H94z" fill="#fff3c4" opacity=".55"/>`,
  tableware: `<path d="M136 128h112v70a40 40 0 0 1-40 40h-32a40 40 0 0 1-40-40z" fill="currentColor"/>
    <path d="M248 144h18a28 28 0 0 1 0 56h-20v-14h18a14 14 0 0 0 0-28h-16z" fill="currentColor"/>
    <ellipse cx="192" cy="128" rx="56" ry="9" fill="#fff" opacity=".5"/>
    <path d="M168 112q-8-14 0-26t0-26M208 112q-8-14 0-26t0-26" stroke="#fff" stroke-width="4" fill="none" opacity=".7"/>`,
  textiles: `<path d="M112 116h176v112H112z" fill="currentColor"/><path d="M112 136h176v8H112zM112 160h176v4H112zM112 196h176v8H112z" fill="#fff" opacity=".6"/>
    <path d="M112 228v14M128 228v14M144 228v14M160 228v14M176 228v14M192 228v14M208 228v14M224 228v14M240 228v14M256 228v14M272 228v14M288 228v14" stroke="currentColor" stroke-width="4"/>`,
  'deck-gear': `<g fill="none" stroke="currentColor" stroke-width="18"><circle cx="200" cy="176" r="62"/></g>
    <g fill="none" stroke="#fff" stroke-width="18" opacity=".85"><path d="M185 115a62 62 0 0 1 30 0M185 237a62 62 0 0 0 30 0M139 191a62 62 0 0 1 0-30M261 191a62 62 0 0 0 0-30"/></g>
    <circle cx="200" cy="176" r="78" fill="none" stroke="#e8dcc0" stroke-width="4"/>`,
  outerwear: `<path d="M168 106h64l48 34-20 40-20-12v76h-80v-76l-20 12-20-40z" fill="currentColor"/>
    <path d="M198 106h4v138h-4z" fill="#fff" opacity=".6"/><path d="M168 106q32 30 64 0l-10 40h-44z" fill="#000" opacity=".2"/>
    <g fill="#fff" opacity=".8"><circle cx="210" cy="160" r="4"/><circle cx="210" cy="190" r="4"/><circle cx="210" cy="220" r="4"/></g>`,
  tools: `<path d="M190 150h20v92a10 10 0 0 1-20 0z" fill="currentColor"/><path d="M136 104h128v48H136z" rx="6" fill="#5f666b"/>
    <path d="M136 104h20v48h-20zM244 104h20v48h-20z" fill="#81898e"/>`,
  garden: `<path d="M148 150h86v88h-86z" fill="currentColor"/><path d="M148 166 92 128l-10 12 66 62z" fill="currentColor"/>
    <path d="M234 160a44 44 0 0 1 0 66" fill="none" stroke="currentColor" stroke-width="10"/>
    <path d="M70 128h30v8H70z" fill="#6b6b6b"/><path d="M66 146v18M78 150v22M90 148v16" stroke="#7fb4d6" stroke-width="4"/>`,
  stationery: `<path d="M140 106h112a10 10 0 0 1 10 10v118a10 10 0 0 1-10 10H140z" fill="currentColor"/>
    <path d="M140 106h16v138h-16z" fill="#000" opacity=".25"/><path d="M176 134h64v22h-64z" fill="#fff" opacity=".8"/>
    <path d="m270 116 10 4-30 120-10 8-2-12z" fill="#d8b45c"/>`,
  toys: `<path d="M118 186h164l-22 46H142z" fill="currentColor"/><path d="M150 150h70v36h-70z" fill="#f4efe2"/>
    <path d="M176 108h22v42h-22z" fill="currentColor"/><path d="M176 118h22v10h-22z" fill="#fff" opacity=".8"/>
    <g fill="#3b5b7a"><circle cx="168" cy="168" r="7"/><circle cx="200" cy="168" r="7"/></g><circle cx="214" cy="96" r="10" fill="#fff" opacity=".7"/><circle cx="234" cy="84" r="7" fill="#fff" opacity=".5"/>`,
  pantry: `<path d="M152 128h96a8 8 0 0 1 8 8v96a12 12 0 0 1-12 12h-88a12 12 0 0 1-12-12v-96a8 8 0 0 1 8-8z" fill="currentColor"/>
    <path d="M146 106h108v22H146z" fill="#5a4632"/><path d="M160 158h80v52h-80z" fill="#fbf6e6"/>
    <path d="M172 172h56v5h-56zM180 186h40v4h-40zM186 198h28v4h-28z" fill="#7a6a50"/>`,
}

/** For a shelf that came later: a crate. */
const CRATE = `<path d="M126 130h148v108H126z" fill="currentColor"/>
  <path d="M126 160h148v6H126zM126 200h148v6H126zM140 130h8v108h-8zM252 130h8v108h-8z" fill="#000" opacity=".25"/>`

export function drawGood({ sku, name, category, tint }: Drawn): string {
  const sea = 216 + (spread(sku) % 40)
  const sun = 60 + (spread(`${sku} sun`) % 280)
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 400 300" role="img" color="${tint}">
  <title>${escaped(name)}</title>
  <path d="M0 0h400v300H0z" fill="#eef3f2"/>
  <circle cx="${sun}" cy="56" r="26" fill="#f6d99a"/>
  <path d="M0 ${sea}q50-14 100 0t100 0 100 0 100 0v${300 - sea}H0z" fill="#bcd6dc"/>
  ${motifs[category] ?? CRATE}
  <path d="M0 ${sea + 30}q50-12 100 0t100 0 100 0 100 0v${270 - sea}H0z" fill="#8fb8c2" opacity=".75"/>
</svg>
`
}

/** The same number for the same text. */
function spread(text: string): number {
  return [...text].reduce((hash, letter) => (hash * 31 + (letter.codePointAt(0) ?? 0)) % 65_521, 7)
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}
