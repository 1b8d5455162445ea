import t from 'tap';
import { anAdmin } from '../console/an-admin.ts';
import { World } from '../rollout/builders.ts';
import { type CommandEnd, understudy } from '../support/command.ts';

const TIME = { timeout: 100_000 };

async function aGateway() {
  const world = new World();
  const admin = await anAdmin(world);
  const { port } = await admin.listen('127.0.0.1', 0);
  t.teardown(() => admin.app.close());
  const route = (...args: readonly string[]): Promise<CommandEnd> =>
    understudy(['route', ...args, '--admin', `http://127.0.0.1:${port}`]);
  return { world, route };
}

t.test(
  'a route is set with what it was and what it is, and a dry run changes nothing',
  TIME,
  async (t) => {
    const { world, route } = await aGateway();
    const args = ['set', 'fashion', '--split', '1=97.5,3=2.5', '--mirror', '2=20'];
    const before = world.shares();
    const dry = await route(...args, '--dry-run');
    t.match(
      dry.stdout,
      /^Split: +1 100 % \(stable\) {2}-> {2}3 2\.5 % \(other\), 1 97\.5 % \(stable\)$/m,
    );
    t.match(dry.stdout, /^Mirror: +off {2}-> {2}20 % to 2$/m);
    t.match(dry.stdout, /would change revision 1 .* Nothing was changed\.$/m);
    t.equal(world.shares(), before);
    const done = await route(...args);
    t.match(done.stdout, /The route of fashion is at revision 2\.$/m);
    t.equal(world.shares(), 'other=3:250 stable=1:9750 mirror');
    t.match((await route('get', 'fashion')).stdout, /^Mirror: +20 % to 2$/m);
    t.match(JSON.parse((await route('get', 'fashion', '-o', 'json')).stdout), { revision: 2 });
  },
);

t.test(
  'what is not named of a route stays, but the split follows a new stable version',
  TIME,
  async (t) => {
    const { world, route } = await aGateway();
    await route('set', 'fashion', '--split', '1=90,3=10', '--mirror', '2=20');
    await route('set', 'fashion', '--stable', '3');
    t.equal(world.shares(), 'stable=3:10000 mirror');
    await route('set', 'fashion', '--split', '3=100', '--mirror', 'off');
    t.equal(world.shares(), 'stable=3:10000');
  },
);

t.test('a route that cannot be is refused before anything is sent', TIME, async (t) => {
  const { world, route } = await aGateway();
  const wrong = {
    '--split 1=95,2=4': /add to 100 percent, found 95 \+ 4 = 99/,
    '--split 1=95,1=5': /each version once, found "1" twice/,
    '--split 1': /expected version=percent, such as 2=5, found "1"/,
    '--split 1=-5,2=105': /expected version=percent/,
    '--mirror 3=120': /percentage/,
    '--dry-run': /expected --stable, --split or --mirror, found none/,
  };
  const cases = Object.entries(wrong);
  const ends = await Promise.all(
    cases.map(([line]) => route('set', 'fashion', ...line.split(' '))),
  );
  for (const [at, [line, message]] of cases.entries()) {
    t.equal(ends[at]?.code, 2, line);
    t.match(ends[at]?.stderr, message, line);
  }
  t.equal(
    (await route('set', 'fashion', '--split', '9=100')).code,
    1,
    'a version that is not there',
  );
  t.equal((await route('get', 'none')).code, 1);
  t.equal(world.table.get('fashion')?.revision, 1);
});
