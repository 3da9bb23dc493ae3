// What the core's thread and the thread of the screens say to each other. Screens are numbered.

export type ScreenOrder =
  | {
      readonly kind: 'open';
      readonly screen: number;
      readonly columns: number;
      readonly rows: number;
      readonly scrollbackLines: number;
    }
  | { readonly kind: 'write'; readonly screen: number; readonly bytes: Uint8Array }
  | {
      readonly kind: 'resize';
      readonly screen: number;
      readonly columns: number;
      readonly rows: number;
    }
  | { readonly kind: 'snapshot'; readonly screen: number; readonly request: number }
  | { readonly kind: 'close'; readonly screen: number };

export type ScreenReport =
  /** So many bytes more are on the screen. */
  | { readonly kind: 'written'; readonly screen: number; readonly bytes: number }
  | {
      readonly kind: 'snapshot';
      readonly screen: number;
      readonly request: number;
      readonly bytes: Uint8Array;
      readonly columns: number;
      readonly rows: number;
    }
  | { readonly kind: 'answer'; readonly screen: number; readonly bytes: Uint8Array }
  | { readonly kind: 'title'; readonly screen: number; readonly title: string };
