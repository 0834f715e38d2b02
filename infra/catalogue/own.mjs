// Prices that none of the sources has right, each with where and when it was read.
// An entry here goes before those of its provider; remove it once a source has it.
export const own = {
  // https://api-docs.deepseek.com/quick_start/pricing, 2026-11-15: the sources know the
  // peak price only. Peak is on weekdays; here it is on every day, as in the sources'
  // other entries, since prices of this form have no weekdays.
  deepseek: [{
    id: 'deepseek-flash',
    match: { or: [{ equals: 'deepseek-flash' }] },
    prices: [
      { cost: { input: '0.00000015', cache_read: '0.000000003', output: '0.0000006' } },
      ...[['01:00:00', '04:00:00'], ['06:00:00', '10:00:00']].map(([start, end]) => (
        { start, end, cost: { input: '0.0000003', cache_read: '0.000000006', output: '0.0000012' } }
      )),
    ],
  }],
}
