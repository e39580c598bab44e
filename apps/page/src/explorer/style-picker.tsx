import { type ChartStyle, type Drawing, isStacked, SCALES } from '../chart/chart-style.ts';

const NAMES: Readonly<Record<Drawing, string>> = {
  lines: 'Lines',
  areas: 'Areas',
  stacked: 'Stacked areas',
  bars: 'Stacked bars',
};

export interface StylePickerProps {
  readonly style: ChartStyle;
  readonly onChange: (style: ChartStyle) => void;
}

/** How values are drawn, and on which scale. Stacks have no logarithmic scale: it would show wrong shares. */
export function StylePicker({ style, onChange }: StylePickerProps) {
  return (
    <span className="pair">
      <select
        aria-label="Draw as"
        value={style.drawing}
        onChange={(event) => onChange({ ...style, drawing: event.target.value as Drawing })}
      >
        {Object.entries(NAMES).map(([drawing, name]) => (
          <option key={drawing} value={drawing}>
            {name}
          </option>
        ))}
      </select>
      <select
        aria-label="Scale"
        value={isStacked(style.drawing) ? 'linear' : style.scale}
        disabled={isStacked(style.drawing)}
        onChange={(event) =>
          onChange({ ...style, scale: SCALES.find((one) => one === event.target.value) ?? 'linear' })
        }
      >
        {SCALES.map((scale) => (
          <option key={scale}>{scale}</option>
        ))}
      </select>
    </span>
  );
}
