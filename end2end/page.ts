// What tests do with a page, in the words of this product.

import { expect, type Locator, type Page } from '@playwright/test';

/** Goes somewhere and waits until the page is alive: wasm has taken over and changes arrive. */
export async function open(page: Page, address: string): Promise<void> {
  await page.goto(address);
  await alive(page);
}

export async function alive(page: Page): Promise<void> {
  await expect(page.locator('.live-sign')).toHaveText('Live');
}

/** The rows of the list on this screen. */
export function rows(page: Page): Locator {
  return page.getByRole('main').locator('tr[data-connection]');
}

/** One connection, as a row or as the headline of its own screen. */
export function connection(page: Page, id: string): Locator {
  return page.getByRole('main').locator(`[data-connection="${id}"]`);
}

/** The ids of the rows, in the order in which they stand. */
export function order(page: Page): Promise<string[]> {
  return rows(page).evaluateAll((rows) => rows.map((row) => row.getAttribute('data-connection')!));
}

/** The pill that says how many rows would come, go or move. */
export function pill(page: Page): Locator {
  return page.getByRole('button', { name: /changed – show$/ });
}

/** The entries of the legend, each of which is a filter. */
export function legend(page: Page): Locator {
  return page.getByRole('list', { name: 'Connections by health' }).getByRole('link');
}

/** Follows a link as the router does, without loading a document. */
export async function follow(page: Page, address: string): Promise<void> {
  await page.evaluate((address) => {
    const link = document.createElement('a');
    link.href = address;
    document.body.append(link);
    link.click();
    link.remove();
  }, address);
  await expect(page).toHaveURL(address);
}
