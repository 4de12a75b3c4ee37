// Draws training curves with Plotly.react into one node that is kept between updates, so that zoom, hidden series and the
// hover label survive. Loaded once a page; several charts share this module and one copy of Plotly.

const views = new Map(); // chart key -> {x, y, hidden}: what the person did. Passed to every draw, since Plotly's own
// memory (uirevision) ends when Streamlit remounts the chart, for example after a visit to another page.
const charts = new WeakMap(); // parent element -> chart
let plotly; // one promise for every chart on the page

function loadPlotly(url) {
  plotly ??= new Promise((resolve, reject) => {
    if (window.Plotly?.react) return resolve(window.Plotly);
    const script = document.createElement("script");
    script.src = url;
    script.onload = () => resolve(window.Plotly);
    script.onerror = () => {
      plotly = undefined; // a later update tries again
      reject(new Error("The chart library could not be loaded. Reload the page."));
    };
    document.head.append(script);
  });
  return plotly;
}

/** Streamlit's theme as an object of colours; `role` is a role name or a number into the categorical palette. */
function theme(element) {
  const style = getComputedStyle(element);
  const read = (name) => style.getPropertyValue(`--st-${name}`).trim();
  const palette = read("chart-categorical-colors").split(",");
  const roles = {
    train: read("blue-color"),
    validation: read("orange-color"),
    neutral: read("gray-color"),
    accent: read("link-color"),
    warning: read("red-color"),
  };
  return {
    text: read("text-color"),
    muted: read("gray-text-color"),
    line: read("border-color"),
    surface: read("background-color"),
    font: read("font"),
    role: (name) => roles[name] ?? palette[Number(name) % palette.length] ?? roles.neutral,
  };
}

function alpha(hex, opacity) {
  const value = /^#([0-9a-f]{6})/i.exec(hex)?.[1];
  if (!value) return hex;
  const [r, g, b] = [0, 2, 4].map((i) => parseInt(value.slice(i, i + 2), 16));
  return `rgba(${r},${g},${b},${opacity})`;
}

function traces(data, colours, view) {
  const shown = [];
  for (const [index, trace] of data.traces.entries()) {
    const colour = colours.role(trace.colour);
    const x = data.x[trace.x];
    const common = {
      type: "scatter",
      mode: "lines",
      name: trace.name,
      legendgroup: trace.name, // a faint or banded companion of the same name is switched on and off with its curve
      visible: view?.hidden.includes(trace.name) ? "legendonly" : true,
      connectgaps: false,
    };
    if (trace.low) {
      const edge = { ...common, x, line: { width: 0 }, hoverinfo: "skip", showlegend: false };
      shown.push({ ...edge, y: trace.low, uid: `${index}-low` });
      shown.push({ ...edge, y: trace.high, uid: `${index}-high`, fill: "tonexty", fillcolor: alpha(colour, 0.14) });
    }
    const few = x.length < 3;
    shown.push({
      ...common,
      x,
      y: trace.y,
      uid: `${index}`,
      mode: few ? "lines+markers" : "lines",
      showlegend: !trace.companion,
      hoverinfo: trace.companion ? "skip" : undefined,
      hovertemplate: trace.companion ? undefined : "%{y:.4~g}",
      marker: { size: 6 },
      line: {
        color: trace.faint ? alpha(colour, 0.3) : colour,
        width: trace.faint ? 1 : 2,
        dash: trace.dashed ? "5px,4px" : "solid",
      },
    });
  }
  // Hover over a mark on the axis says what it is; the lines themselves are shapes, which have no hover.
  if (data.events.length) {
    shown.push({
      type: "scatter",
      mode: "markers",
      name: "",
      uid: "events",
      x: data.events.map((event) => event.x),
      y: data.events.map(() => 0.015),
      yaxis: "y2",
      text: data.events.map((event) => escapeHtml(event.label)),
      hovertemplate: "%{text}<extra></extra>",
      showlegend: false,
      marker: {
        symbol: "line-ns-open",
        size: 9,
        color: data.events.map((event) => colours.role(event.colour)),
        line: { width: 1.5 },
      },
    });
  }
  return shown;
}

function layout(data, colours, view) {
  const axis = {
    zeroline: false,
    automargin: true,
    linecolor: colours.line,
    tickcolor: colours.line,
    tickfont: { color: colours.muted, size: 12 },
    nticks: data.height < 250 ? 5 : 7,
    title: { font: { color: colours.muted, size: 12 }, standoff: 8 },
  };
  const axes = {
    x: {
      ...axis,
      showgrid: false,
      ticks: "outside",
      ticklen: 4,
      uirevision: data.x_title,
      autorangeoptions: { minallowed: 0 }, // steps and epochs begin at 0, also while there is only one point
      hoverformat: ",.6~g",
      unifiedhovertitle: { text: `${escapeHtml(data.x_title)} %{x}` },
      spikecolor: colours.muted,
      spikethickness: 1,
      spikedash: "solid",
    },
    y: {
      ...axis,
      gridcolor: alpha(colours.line, 0.75),
      type: data.log_y ? "log" : "linear",
      uirevision: `${data.y_title}${data.log_y}`,
      ...(data.clip ? { autorangeoptions: { clipmin: data.clip[0] ?? undefined, clipmax: data.clip[1] } } : {}),
      exponentformat: "e", // 1e-4, not 100µ
      ...(data.log_y ? { dtick: 1, minor: { showgrid: true, gridcolor: alpha(colours.line, 0.35) } } : {}),
    },
  };
  axes.x.title = { ...axis.title, text: data.x_title }; // what y is stands in the heading above the chart
  const last = Math.max(0, ...data.x.map((column) => column.at(-1) ?? 0));
  if (data.x_title === "step" && last < 8) axes.x.dtick = 1; // there is no half step
  const named = new Set(data.traces.map((trace) => trace.name)).size;
  for (const name of ["x", "y"]) {
    if (view?.[name] && view.titles === titles(data)) Object.assign(axes[name], { range: view[name], autorange: false });
  }
  return {
    height: data.height,
    margin: { l: 40, r: 12, t: 8, b: 40 }, // Plotly adds what the legend needs
    showlegend: named > 1,
    paper_bgcolor: "rgba(0,0,0,0)",
    plot_bgcolor: colours.surface, // not transparent: Plotly draws a halo in this colour around the hover line
    font: { family: colours.font, size: 12.5, color: colours.text },
    uirevision: "kept",
    hovermode: "x unified",
    hoverlabel: { bgcolor: colours.surface, bordercolor: colours.line, font: { color: colours.text, size: 12.5 } },
    legend: { orientation: "h", x: 0, xanchor: "left", y: 1, yanchor: "bottom", font: { size: 12.5 }, itemwidth: 30 },
    modebar: { bgcolor: "rgba(0,0,0,0)", color: alpha(colours.muted, 0.7), activecolor: colours.role("accent") },
    xaxis: axes.x,
    yaxis: axes.y,
    yaxis2: { overlaying: "y", range: [0, 1], fixedrange: true, visible: false },
    shapes: data.events.filter((event) => !event.small).map((event) => ({
      type: "line",
      x0: event.x,
      x1: event.x,
      yref: "paper",
      y0: 0,
      y1: 1,
      line: { color: colours.role(event.colour), width: 1, dash: "dot" },
    })),
    annotations: stacked(data.events.filter((event) => !event.small && !event.quiet), last).map((event) => ({
      x: event.x,
      yref: "paper",
      y: 1,
      xanchor: event.right ? "right" : "left",
      yanchor: "top",
      xshift: event.right ? -3 : 3,
      yshift: -17 * event.row,
      showarrow: false,
      text: escapeHtml(event.label),
      font: { size: 11.5, color: colours.role(event.colour) },
      bgcolor: alpha(colours.surface, 0.8),
    })),
  };
}

/** Labels of lines that stand close together go below one another; near the right edge they go to the left of the line. */
function stacked(events, last) {
  const ends = []; // how far each row is taken, as a share of the width
  return events.map((event) => {
    const at = last ? event.x / last : 0;
    const width = 0.02 + 0.02 * event.label.length;
    const right = at + width > 1.02;
    const [from, to] = right ? [at - width, at] : [at, at + width];
    let row = ends.findIndex((end) => end <= from);
    if (row < 0) row = ends.length;
    ends[row] = to;
    return { ...event, right, row };
  });
}

const titles = (data) => `${data.x_title}|${data.y_title}|${data.log_y}`;

/** Plotly reads a few HTML tags in its texts; a name from a person is shown as it is. */
function escapeHtml(text) {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

const CONFIG = {
  displaylogo: false,
  doubleClick: "autosize", // a restored zoom must not count as the initial view
  modeBarButtonsToRemove: ["select2d", "lasso2d", "zoomIn2d", "zoomOut2d", "resetScale2d", "toImage"],
};

/** Buttons that save the chart as it is seen, on the ground of the theme (ours is see-through) and with its name. */
function pictures(library, chart) {
  const button = (format, icon) => ({
    name: `picture-${format}`,
    title: `Download picture (${format.toUpperCase()})`,
    icon,
    click: (plot) => {
      const { data, colours } = chart.shown;
      const layout = {
        ...plot.layout,
        paper_bgcolor: colours.surface,
        title: { text: escapeHtml(data.picture.replaceAll(/[-_]/g, " ")), font: { size: 14 } },
        margin: { l: 60, r: 24, t: 64, b: 50 },
        width: 1000,
        height: 560,
      };
      library.downloadImage({ data: plot.data, layout }, { format, filename: data.picture, width: 1000, height: 560, scale: 2 });
    },
  });
  return [button("png", library.Icons.camera), button("svg", library.Icons.disk)];
}

class Chart {
  constructor(parent) {
    this.root = document.createElement("div");
    this.root.dataset.testid = "live-chart";
    this.plot = document.createElement("div");
    this.note = document.createElement("p");
    this.note.style.cssText =
      "margin:0;display:flex;align-items:center;justify-content:center;text-align:center;padding:0 2rem;" +
      "border:1px dashed var(--st-border-color);border-radius:var(--st-base-radius);color:var(--st-gray-text-color)";
    this.root.append(this.note, this.plot);
    parent.append(this.root);
    this.plot.addEventListener("mousedown", () => (this.dragging = true), true);
    this.release = () => {
      if (!this.dragging) return;
      // Plotly finishes its own mouseup first; a redraw in the middle of a drag would cancel the person's zoom.
      setTimeout(() => {
        this.dragging = false;
        if (this.waiting) this.draw();
      });
    };
    window.addEventListener("mouseup", this.release, true);
    // Plotly's own `responsive` only hears the window: not an opened tab, an expander or a folded sidebar.
    this.sizes = new ResizeObserver(() => {
      if (this.started && this.root.clientWidth) this.library.Plots.resize(this.plot);
    });
    this.sizes.observe(this.root);
  }

  update(component) {
    this.component = component;
    const { data } = component;
    this.root.dataset.key = data.key;
    this.say(data.traces.length ? "" : data.empty_reason, data.height);
    if (!data.traces.length) return;
    loadPlotly(new URL(data.plotly, location.origin)).then(
      (library) => {
        this.library = library;
        if (this.root.isConnected) this.draw();
      },
      (error) => this.say(error.message, data.height),
    );
  }

  say(text, height) {
    this.note.textContent = text;
    this.note.style.display = text ? "flex" : "none";
    this.note.style.height = `${height}px`;
    this.plot.style.display = text ? "none" : "block";
    this.plot.style.height = `${height}px`;
  }

  draw() {
    if (this.dragging) {
      this.waiting = true;
      return;
    }
    this.waiting = false;
    const { data } = this.component;
    const colours = theme(this.root);
    const drawn = JSON.stringify([data, colours]);
    if (drawn === this.drawn) return; // nothing changed: leave the chart alone
    this.drawn = drawn;
    const view = views.get(data.key);
    const named = data.traces.map((trace) => ({ ...trace, name: escapeHtml(trace.name) }));
    this.plot.setAttribute("role", "img");
    this.plot.setAttribute("aria-label", data.alt);
    this.shown = { data, colours };
    this.config ??= { ...CONFIG, modeBarButtonsToAdd: pictures(this.library, this) };
    const figure = traces({ ...data, traces: named }, colours, view);
    this.library.react(this.plot, figure, layout(data, colours, view), this.config);
    if (!this.started) {
      this.started = true;
      this.plot.on("plotly_relayout", () => this.remember());
      this.plot.on("plotly_restyle", () => this.remember());
    }
  }

  remember() {
    const { xaxis, yaxis } = this.plot._fullLayout;
    views.set(this.component.data.key, {
      x: xaxis.autorange ? undefined : [...xaxis.range],
      y: yaxis.autorange ? undefined : [...yaxis.range],
      titles: titles(this.component.data),
      hidden: this.plot._fullData.filter((trace) => trace.visible === "legendonly").map((trace) => trace.name),
    });
  }

  close() {
    this.sizes.disconnect();
    window.removeEventListener("mouseup", this.release, true);
    if (this.library) this.library.purge(this.plot);
    this.root.remove();
  }
}

export default function liveChart(component) {
  const { parentElement } = component;
  let chart = charts.get(parentElement);
  if (!chart) charts.set(parentElement, (chart = new Chart(parentElement)));
  chart.update(component);
  return () => {
    // Streamlit also calls this when newer data overtakes a run that is still loading; the chart then stays.
    if (parentElement.isConnected) return;
    chart.close();
    charts.delete(parentElement);
  };
}
