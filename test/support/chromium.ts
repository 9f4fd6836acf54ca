import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { chromium, type Browser, type BrowserContext, type Page } from 'playwright-core';
import { packagePath } from '../../platform/package-path.js';
import { isAvailable } from './services.js';

const PLACES = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];
/** Nothing of the browser's own talks to anybody: what a page asks for is all there is. */
const QUIET = [
  ...['--no-sandbox', '--disable-gpu', '--disable-quic', '--disable-background-networking'],
  ...['--disable-component-update', '--disable-sync'],
];

const found = () => [process.env['CHROMIUM_PATH'] ?? '', ...PLACES].find((path) => existsSync(path));

/** Debian's package, where it is not there yet and we may install it. */
function browserPath(): string | undefined {
  if (found() === undefined && process.getuid?.() === 0) {
    spawnSync('apt-get', ['update', '-qq'], { stdio: 'ignore' });
    spawnSync('apt-get', ['install', '-y', '-qq', '--no-install-recommends', 'chromium'], {
      stdio: 'ignore',
    });
  }
  return found();
}

const MISSING = 'install it (Debian: apt-get install chromium), or set CHROMIUM_PATH';

export function hasChromium(): boolean {
  return isAvailable('Chromium', browserPath() === undefined ? MISSING : null);
}

/** @throws Error where there is none */
export function openChromium(): Promise<Browser> {
  const executablePath = browserPath();
  if (executablePath === undefined) throw new Error(`no Chromium: ${MISSING}`);
  return chromium.launch({ executablePath, args: QUIET });
}

/** What went wrong on a page without anybody saying so. */
export interface Watched {
  readonly page: Page;
  /** Messages of the console, errors, requests that failed, answers of 400 and more, requests beyond the origin. */
  readonly troubles: string[];
}

export async function watchedPage(context: BrowserContext, origin: string): Promise<Watched> {
  const page = await context.newPage();
  const troubles: string[] = [];
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) troubles.push(`console: ${message.text()}`);
  });
  page.on('pageerror', (error) => troubles.push(`error: ${error.message}`));
  page.on('response', (response) => {
    if (response.status() >= 400) troubles.push(`${response.status()} ${response.url()}`);
  });
  page.on('request', (request) => {
    const url = request.url();
    if (!url.startsWith(origin) && !/^(data|blob):/.test(url)) troubles.push(`beyond the origin: ${url}`);
  });
  return { page, troubles };
}

/** Where a look at a page is kept: beside the repository's other scratch. */
export function screenshotPath(name: string): string {
  const folder = packagePath('.headgate-cache', 'screenshots');
  mkdirSync(folder, { recursive: true });
  return join(folder, `${name}.png`);
}
