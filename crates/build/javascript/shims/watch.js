// Tells whether module scope asks for what differs between instances: environment, clock, randomness, network, files.
// It runs when the component is built; if it asked, it runs again when an instance starts. While the component is built
// none of these is there, so that what is asked for gets a stand-in, which the second run replaces.

let building = true;
let asked = null;

/** True while the component is built; then `what` is remembered. */
export function asksWhileBuilding(what) {
  if (building) asked ??= what;
  return building;
}

/** Runs `load` while the component is built, and says what it asked for first, or null. */
export function watched(load) {
  const restore = watchGlobals();
  try {
    return { loaded: load(), asked };
  } catch (error) {
    return { error, asked };
  } finally {
    restore();
    building = false;
  }
}

/** What the clock says while the component is built: the same always, so that the same inputs give the same component. */
const BUILD_TIME = Date.UTC(2026, 0, 1);

function watchGlobals() {
  const { Date: NativeDate } = globalThis;
  const stop = [];
  const standIn = (owner, name, what, value) => {
    const own = Object.getOwnPropertyDescriptor(owner, name);
    Object.defineProperty(owner, name, {
      value: (...args) => {
        asksWhileBuilding(what);
        return value(...args);
      },
      configurable: true,
      writable: true,
    });
    stop.push(() => {
      if (own) Object.defineProperty(owner, name, own);
      else delete owner[name];
    });
  };
  let state = 1;
  const drawn = () => (state = (state * 48271) % 2147483647) / 2147483647;
  const fill = (array) => {
    const view = new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
    for (let i = 0; i < view.length; i++) view[i] = Math.floor(drawn() * 256);
    return array;
  };
  standIn(Math, 'random', 'randomness', drawn);
  standIn(crypto, 'getRandomValues', 'randomness', fill);
  standIn(crypto, 'randomUUID', 'randomness', () => '00000000-0000-4000-8000-000000000000');
  standIn(performance, 'now', 'the clock', () => 0);
  standIn(globalThis, 'fetch', 'the network', () => new Promise(() => {}));
  const now = () => {
    asksWhileBuilding('the clock');
    return BUILD_TIME;
  };
  // Made with arguments, a date does not look at the clock.
  const StandInDate = new Proxy(NativeDate, {
    construct: (target, args, made) =>
      Reflect.construct(target, args.length === 0 ? [now()] : args, made === StandInDate ? target : made),
    apply: (target) => new target(now()).toString(),
    get: (target, key, receiver) => (key === 'now' ? now : Reflect.get(target, key, receiver)),
  });
  globalThis.Date = StandInDate;
  stop.push(() => {
    globalThis.Date = NativeDate;
  });
  return () => stop.forEach((restore) => restore());
}
