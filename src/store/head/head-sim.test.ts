import { test } from 'node:test';
import { HEAD_KERNELS, seededRandom } from '../../../test/kernels.ts';
import { withFolder } from './_head-fixtures.ts';
import { HeadSim } from './_head-sim.ts';

const SEED = Number(process.env['HEAD_SIM_SEED'] ?? 20261203);
const OPERATIONS = Number(process.env['HEAD_SIM_OPERATIONS'] ?? 6000);

for (const [name, makeKernel] of HEAD_KERNELS) {
  for (const takesOutOfOrder of [false, true]) {
    const window = takesOutOfOrder ? 'with' : 'without';
    test(`${name}, ${window} out-of-order window: a head is what a plain model says, whatever happens (HEAD_SIM_SEED=${SEED})`, () =>
      withFolder(async (folder) => {
        const random = seededRandom(SEED);
        const sim = new HeadSim(folder, random, makeKernel, takesOutOfOrder);
        for (let i = 0; i < OPERATIONS; i++) {
          const roll = random();
          if (roll < 0.6) sim.append();
          else if (roll < 0.7) sim.commit();
          else if (roll < 0.75) sim.flush();
          else if (roll < 0.755) sim.delete();
          else if (roll < 0.85) sim.truncate();
          else if (roll < 0.855) sim.cutOutOfOrder();
          else if (roll < 0.992) sim.quiesce();
          else if (roll < 0.9923) sim.restart();
          else await sim.check();
        }
        sim.commit();
        await sim.check();
        sim.restart();
        await sim.check();
      }));
  }
}
