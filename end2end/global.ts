// Before all tests: starts the one demo that they share, waits until it is calm, and signs in once: the administrator, and somebody who may only look. After them: ends it.

import { Demo } from './demo';
import { Linewatch, session } from './linewatch';

export default async function start(): Promise<() => Promise<void>> {
  const demo = await Demo.start('linewatch', '--connections', '250', '--seed', '7');
  try {
    process.env.END2END_READY = JSON.stringify(demo.ready);
    process.env.END2END_SESSION = JSON.stringify(await session(demo.ready));
    const viewer = 'viewer@example.com';
    demo.addPerson(viewer, 'viewer');
    process.env.END2END_VIEWER = JSON.stringify(await session({ ...demo.ready, email: viewer }));
    await new Linewatch(demo.ready).calm();
  } catch (error) {
    await demo.stop();
    throw error;
  }
  return () => demo.stop();
}
