/** A preload: the process's clock is wrong by `SHIFTED_CLOCK_MS`, and by as much the other way after every SIGUSR2. */
const RealDate = Date;
let offset = Number(process.env.SHIFTED_CLOCK_MS ?? 0);

globalThis.Date = class extends RealDate {
  static now() {
    return RealDate.now() + offset;
  }
  constructor(...given) {
    if (given.length === 0) super(RealDate.now() + offset);
    else super(...given);
  }
};
process.on('SIGUSR2', () => {
  offset = -offset;
});
