// Maintenance every night while the clocks change: whoever plans it sees when it really is, by the clocks there and by their own.

import { expect, test } from './linewatch';
import { open } from './page';

interface Coming { starts_at: string; ends_at: string; local_start: string; local_end: string }
interface Maintenance { id: string; reason: string; next_at: string; coming: Coming[] }

const DAY = 86_400_000;
const DAYS = ['Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday', 'Sunday'];

/** The next last Sunday of March or October, at least four days ahead: that is when the clocks in Berlin change. */
function change(): { sunday: Date; forward: boolean } {
  const from = Date.now() + 4 * DAY;
  const year = new Date(from).getUTCFullYear();
  for (const [years, month] of [[0, 2], [0, 9], [1, 2]]) {
    const last = new Date(Date.UTC(year + years, month + 1, 0));
    const sunday = new Date(last.getTime() - last.getUTCDay() * DAY);
    if (sunday.getTime() > from) return { sunday, forward: month === 2 };
  }
  throw new Error('every year has a March');
}

/** What is to be seen of the nights before, of and after the change. */
function nights({ sunday, forward }: ReturnType<typeof change>): { words: string; from: string; to: string }[] {
  const [winter, summer] = [{ utc: 'UTC+1', from: '01:30', to: '03:00' }, { utc: 'UTC+2', from: '00:30', to: '02:00' }];
  const usual = ({ utc, from, to }: typeof winter) => ({ clocks: `02:30–04:00 (${utc})`, from, to });
  const between = forward
    ? { clocks: '03:00–04:30 (UTC+2) – the clocks jump over 02:30', from: '01:00', to: '02:30' }
    : { clocks: '02:30–03:00 (UTC+2, then UTC+1)', from: '00:30', to: '02:00' };
  const three = forward ? [usual(winter), between, usual(summer)] : [usual(summer), between, usual(winter)];
  return three.map(({ clocks, from, to }, n) => {
    const day = new Date(sunday.getTime() + (n - 1) * DAY);
    const date = day.toISOString().slice(0, 10);
    const part = (options: Intl.DateTimeFormatOptions) => day.toLocaleDateString('en-US', { ...options, timeZone: 'UTC' });
    const said = `${part({ weekday: 'short' })} ${day.getUTCDate()} ${part({ month: 'short' })} ${day.getUTCFullYear()}`;
    return { words: `${said}, ${clocks}`, from: `${date}T${from}:00Z`, to: `${date}T${to}:00Z` };
  });
}

for (const zone of ['Europe/Berlin', 'America/New_York']) {
  test.describe(`a person in ${zone}`, () => {
    test.use({ timezoneId: zone });

    test('plans nightly maintenance in Berlin over a change of clocks, and sees when it is', async ({ page, linewatch }) => {
      const reason = `Their nightly backup ${Date.now().toString(36)}`;
      const next = change();
      const noon = (days: number) => `${new Date(next.sunday.getTime() + days * DAY).toISOString().slice(0, 10)}T12:00`;

      await open(page, '/alerts/maintenance/new');
      // what is chosen opens the fields for it, as soon as the screen is alive
      await expect(async () => {
        await page.getByLabel('How often').selectOption('weekly');
        await expect(page.getByLabel('Monday', { exact: true })).toBeVisible({ timeout: 500 });
      }).toPass();
      await page.locator('#s-starts_at').fill(noon(-2));
      await page.locator('#s-ends_at').fill(noon(2));
      for (const day of DAYS) await page.getByLabel(day, { exact: true }).check();
      await page.getByLabel('At', { exact: true }).fill('02:30');
      await page.getByLabel('For', { exact: true }).fill('90 min');
      await page.getByLabel('By the clocks of').fill('Europe/Berlin');
      await page.getByLabel('Reason').fill(reason);
      await page.getByRole('button', { name: 'Plan the maintenance' }).click();
      await expect(page).toHaveURL('/alerts/silences');

      const planned = page.locator('[data-maintenance]').filter({ hasText: reason });
      await expect(planned).toContainText('Every day at 02:30, for 90 min, by the clocks of Europe/Berlin');
      const expected = nights(next);
      const lines = planned.locator('.coming > li');
      await expect(lines).toHaveText(expected.map((night) => night.words));
      for (const [n, night] of expected.entries()) {
        const time = lines.nth(n).locator('time');
        await expect(time).toHaveAttribute('datetime', night.from);
        const own = await page.evaluate(([from, to]) => {
          const format = new Intl.DateTimeFormat([], { dateStyle: 'medium', timeStyle: 'long' });
          return `${format.format(new Date(from))} – ${format.format(new Date(to))}`;
        }, [night.from, night.to]);
        await expect(time, 'by the clocks of whoever looks').toHaveAttribute('title', own);
      }

      // The API says the same.
      const all = await linewatch.ask<{ items: Maintenance[] }>('/api/v1/maintenance');
      const stored = all.items.find((one) => one.reason === reason)!;
      const moments = stored.coming.map(({ starts_at, ends_at }) => [Date.parse(starts_at), Date.parse(ends_at)]);
      expect(moments).toEqual(expected.map(({ from, to }) => [Date.parse(from), Date.parse(to)]));
      expect(Date.parse(stored.next_at)).toBe(moments[0][0]);
      const sunday = next.sunday.toISOString().slice(0, 10);
      const local = next.forward ? ['03:00:00', '04:30:00'] : ['02:30:00', '03:00:00'];
      expect([stored.coming[1].local_start, stored.coming[1].local_end]).toEqual(local.map((time) => `${sunday}T${time}`));

      // And without wasm everything of it is there too, in UTC.
      const plain = await page.request.get('/alerts/silences');
      for (const night of expected) expect(await plain.text()).toContain(night.words.split(' – ')[0]);

      await planned.getByRole('button', { name: 'End now' }).click();
      await expect(planned).toHaveCount(0);
    });
  });
}
