/** What is used of asciichart, which has no types of its own. */
declare module 'asciichart' {
  interface PlotOptions {
    readonly height?: number;
    readonly format?: (value: number) => string;
    readonly colors?: readonly string[];
  }
  export function plot(series: number[] | number[][], options?: PlotOptions): string;
  /** Escape sequences. */
  export const blue: string;
  export const red: string;
  export const green: string;
  export const yellow: string;
  export const magenta: string;
  export const cyan: string;
  export const lightgray: string;
  export const lightred: string;
  export const reset: string;
}
