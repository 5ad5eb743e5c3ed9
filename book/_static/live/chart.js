/* Small charts in SVG. Colours are in live.css, so that they follow the theme without a redraw. */
(function (live) {
  "use strict";
  const NAMESPACE = "http://www.w3.org/2000/svg";
  const WIDTH = 400, HEIGHT = 210, LEFT = 46, RIGHT = 16, TOP = 22, BOTTOM = 40;

  live.svg = function (name, attributes, parent) {
    const element = document.createElementNS(NAMESPACE, name);
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    if (parent) parent.append(element);
    return element;
  };

  live.html = function (name, attributes, parent) {
    const element = document.createElement(name);
    Object.assign(element, attributes);
    if (parent) parent.append(element);
    return element;
  };

  /* A button, and a slider with its value beside it. */
  live.button = (parent, text, onclick) => live.html("button", { type: "button", textContent: text, onclick }, parent);

  live.slider = function (parent, text, { min, max, step, value, show, onInput }) {
    const label = live.html("label", { textContent: text + " " }, parent);
    const range = live.html("input", { type: "range", min, max, step, value }, label);
    const shown = live.html("span", { className: "live-value" }, label);
    function tell() {
      shown.textContent = show(Number(range.value));
      range.setAttribute("aria-valuetext", shown.textContent);
    }
    range.addEventListener("input", () => { tell(); if (onInput) onInput(Number(range.value)); });
    range.value = value;   // only now are the limits and the step in force
    tell();
    return { get value() { return Number(range.value); },
             set value(number) { range.value = number; tell(); },
             limit(most) { range.max = most; tell(); } };
  };

  /* A choice of [value, words], as a list that opens; `start(value)` chooses without a call. */
  live.choice = function (parent, text, entries, onChange) {
    const label = live.html("label", { textContent: text + " " }, parent);
    const list = live.html("select", {}, label);
    for (const [value, words] of entries) live.html("option", { value, textContent: words }, list);
    list.addEventListener("change", () => onChange(list.value));
    return { get value() { return list.value; }, start(value) { list.value = value; return list.value; } };
  };

  /* 1, 2 or 5 times a power of ten, at least x. */
  function round(x) {
    const power = 10 ** Math.floor(Math.log10(x));
    return power * [1, 2, 5, 10].find((m) => m * power >= x * (1 - 1e-9));
  }

  function ticks(low, high, about) {
    const step = round((high - low) / about), found = [];
    for (let k = Math.ceil(low / step - 1e-9); k * step <= high + 1e-9 * step; k++) found.push(k * step);
    return found.map((x) => [x, String(Number(x.toPrecision(6))).replace("-", "−")]);
  }

  /* A chart with a range of x that stays and one of y that grows with what it shows.
   *   curve(name, xs, ys)   a line through points      (CSS class live-name)
   *   stairs(name, edges, ys)  a filled histogram
   *   rule(name, x)         a vertical line
   *   range(low, high)      the range of y; call it before the others
   *   point(event)          [x, y] under the pointer */
  live.chart = function (parent, { title, x, xlabel, logarithmic }) {
    const root = live.svg("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, class: "live-chart", role: "img",
      "aria-label": title }, parent);
    live.svg("text", { x: LEFT, y: 14, class: "live-title" }, root).textContent = title;
    const axes = live.svg("g", { class: "live-axes" }, root);
    live.svg("text", { x: (LEFT + WIDTH - RIGHT) / 2, y: HEIGHT - 6, "text-anchor": "middle" }, root)
      .textContent = xlabel;
    const layers = {};
    let y = [0, 1];

    const across = (value) => LEFT + ((value - x[0]) / (x[1] - x[0])) * (WIDTH - LEFT - RIGHT);
    const up = (value) => HEIGHT - BOTTOM - ((value - y[0]) / (y[1] - y[0])) * (HEIGHT - TOP - BOTTOM);
    const inside = (value) => Math.max(TOP - 2, Math.min(HEIGHT - BOTTOM + 2, up(value)));

    function draw(name, path) {
      layers[name] ??= live.svg("path", { class: `live-${name}` }, root);
      layers[name].setAttribute("d", path);
    }

    function range(low, high) {
      const step = round((high - low || 1) / 4);
      const wanted = [Math.floor(low / step + 1e-9) * step, Math.ceil(high / step - 1e-9) * step];
      if (axes.childNodes.length && wanted[0] === y[0] && wanted[1] === y[1]) return;
      y = wanted;
      axes.replaceChildren();
      live.svg("path", { d: `M${LEFT},${TOP}V${HEIGHT - BOTTOM}H${WIDTH - RIGHT}` }, axes);
      for (const [value, text] of ticks(y[0], y[1], 4)) {
        live.svg("path", { d: `M${LEFT},${up(value)}h-4` }, axes);
        live.svg("text", { x: LEFT - 7, y: up(value) + 4, "text-anchor": "end" }, axes).textContent = text;
      }
      for (const [value, text] of ticks(x[0], x[1], 6)) {
        live.svg("path", { d: `M${across(value)},${HEIGHT - BOTTOM}v4` }, axes);
        const label = live.svg("text", { x: across(value), y: HEIGHT - BOTTOM + 17, "text-anchor": "middle" }, axes);
        label.textContent = logarithmic ? "10" : text;
        if (logarithmic) live.svg("tspan", { dy: -5, "font-size": "9" }, label).textContent = text;
      }
      if (y[0] < 0) live.svg("path", { d: `M${LEFT},${up(0)}H${WIDTH - RIGHT}`, class: "live-zero" }, axes);
    }

    function curve(name, xs, ys) {
      draw(name, "M" + Array.from(ys, (value, k) => `${across(xs[k]).toFixed(1)},${inside(value).toFixed(1)}`).join("L"));
    }

    function stairs(name, edges, ys) {
      const steps = Array.from(ys, (value, k) => `V${inside(value).toFixed(1)}H${across(edges[k + 1]).toFixed(1)}`);
      draw(name, `M${across(edges[0])},${inside(0)}${steps.join("")}V${inside(0)}Z`);
    }

    const rule = (name, at) => draw(name, `M${across(at)},${TOP}V${HEIGHT - BOTTOM}`);

    function point(event) {
      const place = new DOMPoint(event.clientX, event.clientY).matrixTransform(root.getScreenCTM().inverse());
      return [x[0] + ((place.x - LEFT) / (WIDTH - LEFT - RIGHT)) * (x[1] - x[0]),
              y[0] + ((HEIGHT - BOTTOM - place.y) / (HEIGHT - TOP - BOTTOM)) * (y[1] - y[0])];
    }
    range(0, 1);
    return { root, range, curve, stairs, rule, point };
  };

  /* The key below a chart: for each class of curve, a sample and a word. */
  live.key = function (parent, entries) {
    const line = live.html("p", { className: "live-key" }, parent);
    for (const [name, text] of entries) {
      const entry = live.html("span", {}, line);
      const sample = live.svg("svg", { viewBox: "0 0 22 10", width: 22, height: 10, "aria-hidden": "true" }, entry);
      live.svg("path", { class: `live-${name}`, d: "M1,9V3H21V9" }, sample);
      entry.append(" " + text);
    }
  };

  /* Starts a widget in each element of this class that holds its numbers as JSON. An error is shown
   * where the widget would be. */
  live.start = function (kind, build) {
    for (const element of document.querySelectorAll(`.live[data-kind="${kind}"]`)) {
      if (element.live) continue;
      try {
        element.live = build(element, JSON.parse(element.querySelector("script").textContent));
      } catch (error) {
        live.html("p", { className: "live-error", textContent: `This figure could not start: ${error.message}` }, element);
        throw error;
      }
    }
  };
})(globalThis.glassdata ??= {});
