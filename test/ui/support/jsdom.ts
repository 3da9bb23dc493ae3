// What jsdom lacks and components, or the libraries below them, look at. Import it first.
window.matchMedia = (query) =>
  ({
    matches: false,
    media: query,
    addEventListener: () => undefined,
    removeEventListener: () => undefined,
    // xterm still uses the old names.
    addListener: () => undefined,
    removeListener: () => undefined,
  }) as unknown as MediaQueryList;

window.ResizeObserver = class {
  observe(): void {
    // Nothing has a size here.
  }
  unobserve(): void {
    // See above.
  }
  disconnect(): void {
    // See above.
  }
};
// Every font is there.
Object.assign(document, { fonts: { check: () => true } });
HTMLElement.prototype.scrollTo = () => undefined;
Element.prototype.scrollIntoView = () => undefined;
HTMLElement.prototype.hasPointerCapture = () => false;

// xterm asks for a canvas to read colours and measure letters with.
const drawing = {
  measureText: () => ({ width: 8, fontBoundingBoxAscent: 10, fontBoundingBoxDescent: 3 }),
  getImageData: () => ({ data: [0, 0, 0, 255] }),
};
HTMLCanvasElement.prototype.getContext = (() =>
  new Proxy(drawing, {
    get: (known, name) => (name in known ? known[name as keyof typeof known] : () => drawing),
    set: () => true,
  })) as unknown as HTMLCanvasElement['getContext'];

// Charts draw their curves as paths.
globalThis.Path2D = class {
  addPath(): void {
    // Nothing is drawn here.
  }
} as unknown as typeof Path2D;
for (const step of ['moveTo', 'lineTo', 'rect', 'arc', 'closePath', 'bezierCurveTo']) {
  Object.assign(Path2D.prototype, { [step]: () => undefined });
}
