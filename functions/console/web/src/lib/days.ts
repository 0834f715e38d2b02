/** daySeconds is where a day (YYYY-MM-DD, in the browser's zone) begins, or with end where the next one does, in seconds since 1970. */
export function daySeconds(day: string | undefined, end = false): number | undefined {
  if (!day || !/^\d{4}-\d\d-\d\d$/.test(day)) return undefined;
  const at = new Date(`${day}T00:00:00`);
  if (Number.isNaN(at.getTime())) return undefined;
  if (end) at.setDate(at.getDate() + 1);
  return Math.floor(at.getTime() / 1000);
}
