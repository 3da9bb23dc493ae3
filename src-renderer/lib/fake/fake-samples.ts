// What is in the files of the fake core: something to read in each, by what its name says.

/** A file too large to read whole: every line is as long, so that any part of it can be made. */
export const largeLog = { lines: 800_000, width: 64 } as const;

/** A small curve, as a PNG. */
const picture =
  'iVBORw0KGgoAAAANSUhEUgAAAGAAAABACAMAAADS6oI8AAAACVBMVEX///9aZHjjnBR996SgAAABBElEQVR42u3Y' +
  '0RKCIBCFYc55/4fOKdPVMBH4LWfkoiuHz22RXUhpGErwuIGvwzhgHDCcg0GAk4wDzzTAQrp6CLo+QGfhBAAWTgEM' +
  'A4kHDAOooPe+bRyACM21hxG0rKBs24IDiCC6vomub6JLtOgSLboJEN1mZIC++4YSLGirF+sliO75RLetottWFTTG' +
  'poCX0LikdgA3L1qlXaEtHYVntHqh9BA4Csf/reJT5pxwU8A4eRTcEQjLdfo+SqI5chD3ejtcCBtY1Uk/fBwxmixW' +
  'd5UQpovRONOHVt5VhNcNc4e1PD3QfhnidTgOv30upD7CiXnofZ0TMQTos0z/BhA87hz8HngArEMCi1KW6dwAAAAA' +
  'SUVORK5CYII=';

const python = `"""Trains the model."""
import argparse
import torch

from src.model import Kohaku


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--lr", type=float, default=3e-4)
    parser.add_argument("--steps", type=int, default=6000)
    args = parser.parse_args()

    model = Kohaku(width=512, depth=12).cuda()  # amber
    optimizer = torch.optim.AdamW(model.parameters(), lr=args.lr)
    for step in range(args.steps):
        loss = model.loss(next(batches()))
        loss.backward()
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        if step % 100 == 0:
            print(f"step {step} loss {loss.item():.4f}")


if __name__ == "__main__":
    main()
`;

function sweep(): string {
  const rows = Array.from({ length: 360 }, (_, at) => {
    const rate = [0.001, 0.0003, 0.0001][at % 3] ?? 0;
    const loss = 2.4 * Math.exp(-at / 140) + 0.9 + 0.02 * Math.sin(at * 1.7);
    return [
      at + 1,
      rate,
      at % 5,
      loss.toFixed(4),
      at % 7 === 3 ? '"diverged, then recovered"' : '',
    ];
  });
  return ['run,learning_rate,seed,loss,note', ...rows.map((row) => row.join(','))].join('\n');
}

/** The bytes of a file from a position, as many as are asked for. */
export function sampleBytes(path: string, position: number, length: number): Uint8Array {
  if (path.endsWith('.log')) return logBytes(position, length);
  if (path.endsWith('.png')) {
    const bytes = Uint8Array.from(atob(picture), (char) => char.charCodeAt(0));
    return bytes.slice(position, position + length);
  }
  return textBytes(sampleText(path)).slice(position, position + length);
}

export function textBytes(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

function sampleText(path: string): string {
  if (path.endsWith('__init__.py')) return '';
  if (path.endsWith('.py')) return python;
  if (path.endsWith('.csv')) return sweep();
  return path.endsWith('.bin') || path.endsWith('.safetensors')
    ? '\u0000kohaku\u0001\u0002 weights'
    : '# Kohaku\n\nTrained on two machines with `kohakuriver submit`.\n';
}

function logBytes(position: number, length: number): Uint8Array {
  const { lines, width } = largeLog;
  const end = Math.min(lines * width, position + length);
  const first = Math.floor(position / width);
  let text = '';
  for (let line = first; line * width < end; line += 1) {
    text += `${`step ${line} loss ${(2 / (1 + line / 9000)).toFixed(4)}`.padEnd(width - 1)}\n`;
  }
  return textBytes(text.slice(position - first * width, end - first * width));
}
