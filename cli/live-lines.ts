/** Lines that are drawn again in place on a terminal. */
export interface LiveLines {
  draw(lines: readonly string[]): void;
  /** Leaves the last drawing where it is. */
  end(): void;
}

const clearDown = '\u001B[0J';
const hideCursor = '\u001B[?25l';
const showCursor = '\u001B[?25h';
// oxlint-disable-next-line no-control-regex
const escapes = /\u001B\[[0-9;]*[A-Za-z]/g;

/** Cut to the width, so that one line never takes two rows. Escape sequences take none. */
function fit(line: string, width: number): string {
  if (line.replace(escapes, '').length <= width) return line;
  return `${line.replace(escapes, '').slice(0, Math.max(0, width - 1))}…`;
}

export function liveLines(terminal: NodeJS.WriteStream): LiveLines {
  let drawn = 0;
  const restore = (): void => void terminal.write(showCursor);
  terminal.write(hideCursor);
  process.once('exit', restore);
  return {
    draw: (lines) => {
      // Rows that left the screen cannot be drawn over: the end of a long list is what moves.
      const visible = lines
        .slice(-Math.max(1, (terminal.rows || 24) - 2))
        .map((line) => fit(line, terminal.columns || 80));
      terminal.write(`${drawn > 0 ? `\u001B[${drawn}A\r` : ''}${clearDown}${visible.join('\n')}\n`);
      drawn = visible.length;
    },
    end: () => {
      restore();
      process.off('exit', restore);
    },
  };
}
