/** A plot of some numbers by day, drawn by uPlot; the table on the page says the same in words. */
import { useEffect, useRef } from 'react';
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';

const HEIGHT = 200;
const COLORS = ['--plot-1', '--plot-2', '--plot-3'];

type Series = [string, (number | null)[]];

export default function Plot({ title, days, series }: { title: string; days: number[]; series: Series[] }) {
  const place = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const element = place.current;
    if (element === null) return;
    const plot = new uPlot(
      optionsOf(series, element),
      [days.map((day) => day / 1_000), ...series.map(([, of]) => of)],
      element,
    );
    const watch = new ResizeObserver(() => {
      plot.setSize({ width: element.clientWidth, height: HEIGHT });
    });
    watch.observe(element);
    return () => {
      watch.disconnect();
      plot.destroy();
    };
  }, [days, series]);
  return (
    <figure className="card">
      <figcaption>{title}</figcaption>
      <div
        ref={place}
        role="img"
        aria-label={`${title} by day: ${series.map(([name]) => name).join(', ')}. The table has the numbers.`}
      />
    </figure>
  );
}

function optionsOf(series: Series[], element: HTMLElement): uPlot.Options {
  const style = getComputedStyle(element);
  const color = (name: string) => style.getPropertyValue(name);
  const axis = { stroke: color('--quiet'), grid: { stroke: color('--line') }, ticks: { stroke: color('--line') } };
  return {
    width: element.clientWidth,
    height: HEIGHT,
    tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1_000), 'UTC'),
    axes: [axis, { ...axis, size: 60 }],
    scales: { y: { range: (_plot, _low, high) => [0, Math.max(high * 1.1, 1e-6)] } },
    series: [
      { label: 'Day', value: '{YYYY}-{MM}-{DD}' },
      ...series.map(([label], number) => ({
        label,
        stroke: color(COLORS[number] ?? '--plot-1'),
        width: 2,
        points: { size: 6 },
      })),
    ],
  };
}
