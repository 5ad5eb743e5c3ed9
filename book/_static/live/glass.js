/* The sheet of atoms in the page: the reader moves atoms, heats and relaxes them; beside it g(r), the
 * PDOS of the Hessian, and what a line trained on the dataset makes of that g(r). */
(function (live) {
  "use strict";
  const BLURRED = 4;              // bins of frequency drawn as one: a small sheet has few modes
  const FORCE = 1e-6;             // eV/angstrom, largest left after relaxing
  const PER_FRAME = { heat: 8, relax: 2 };
  const SPECTRUM_EVERY = 600;     // ms, while something moves

  function build(element, data) {
    const { model, r_edges, omega_edges } = data;
    const W = live.decode(data.W), b = live.decode(data.b).values, mean = live.decode(data.mean).values;
    const random = live.random(20);
    const state = { sheet: live.crystal(data.cell, data.cells), frequencies: null, doing: "rest" };
    let relaxation = null, lastSpectrum = 0, timer = 0;

    const view = live.html("div", { className: "live-columns" }, element);
    const left = live.html("div", {}, view), right = live.html("div", {}, view);
    const atoms = sheetView(left, state, data.bond_length, { moved: () => { stop(); show(true); } });
    live.key(left, [["six", "6 neighbours"], ["five", "5 or fewer"], ["seven", "7 or more"]]);
    const gChart = live.chart(right, { title: "g(r) of this sheet", x: [0, r_edges.at(-1)], xlabel: "distance r (Å)" });
    const pdosChart = live.chart(right, { title: "PDOS (1/THz)", x: [0, omega_edges.at(-1)], xlabel: "frequency (THz)" });
    live.key(right, [["truth", "from its Hessian"], ["guess", "the line, from g(r)"], ["mean", "mean of the dataset"]]);
    const controls = live.html("div", { className: "live-controls" }, left);
    const readout = live.html("p", { className: "live-readout" }, element);
    readout.setAttribute("role", "status");

    function act(change) {
      stop();
      change();
      show(true);
    }
    const row = () => live.html("div", {}, controls);
    const first = row();
    live.button(first, "Displace", () => act(() => live.displace(state.sheet, displacement.value, random)));
    const displacement = live.slider(first, "by", { min: 0.1, max: 2, step: 0.1, value: 0.6,
      show: (x) => `${x.toFixed(1)} Å` });
    const second = row();
    const heating = live.button(second, "Heat", () => (state.doing === "heat" ? act(() => {}) : go("heat")));
    const kelvin = live.slider(second, "at", { min: 20, max: 600, step: 20, value: 400, show: (x) => `${x} K` });
    const third = row();
    live.button(third, "Relax", () => go("relax"));
    live.button(third, "Remove 10 atoms", () => act(() => live.remove(state.sheet, enough(state.sheet), random)));
    live.button(third, "Crystal", () => act(() => { state.sheet = live.crystal(data.cell, data.cells); }));

    // A sheet with too few atoms shrinks below the range of g(r).
    const enough = (sheet) => (sheet.positions.length / 2 > 0.65 * 2 * data.cells[0] * data.cells[1] ? 10 : 0);

    function go(what) {
      stop();
      state.doing = what;
      if (what === "relax") relaxation = live.relaxation(model, state.sheet, FORCE);
      heating.textContent = what === "heat" ? "Stop" : "Heat";
      heating.setAttribute("aria-pressed", String(what === "heat"));
      timer = requestAnimationFrame(frame);
    }

    function stop() {
      cancelAnimationFrame(timer);
      state.doing = "rest";
      heating.textContent = "Heat";
      heating.setAttribute("aria-pressed", "false");
    }

    function frame(now) {
      if (state.doing === "heat") {
        live.heat(model, state.sheet, kelvin.value, PER_FRAME.heat, random);
        live.wrap(state.sheet);
      }
      for (let k = 0; state.doing === "relax" && k < PER_FRAME.relax; k++) if (relaxation.step()) stop();
      const due = state.doing === "rest" || now - lastSpectrum > SPECTRUM_EVERY;
      show(due);
      if (due) lastSpectrum = now;
      if (state.doing !== "rest") timer = requestAnimationFrame(frame);
    }

    function show(withSpectrum) {
      const { positions, box } = state.sheet;
      if (state.doing === "rest") live.wrap(state.sheet);
      atoms.draw();
      state.g = live.rdf(positions, box, r_edges);
      gChart.range(0, Math.max(4, ...state.g));
      gChart.stairs("truth", r_edges, state.g);
      if (!withSpectrum) return;
      state.frequencies = live.frequencies(model, positions, box);
      state.shares = live.shares(state.frequencies, omega_edges);
      state.guess = live.predict(W, b, state.g);
      showSpectra();
      tell();
    }

    const edges = omega_edges.filter((_, k) => k % BLURRED === 0);
    const centres = edges.slice(1).map((edge, k) => (edge + edges[k]) / 2);
    const blurred = (shares) => centres.map((_, k) =>
      shares.slice(BLURRED * k, BLURRED * (k + 1)).reduce((sum, s) => sum + s, 0));
    const density = (shares) => blurred(shares).map((s, k) => s / (edges[k + 1] - edges[k]));

    function showSpectra() {
      const [truth, guess, usual] = [state.shares, state.guess, mean].map(density);
      const low = Math.min(...guess);   // a little below zero needs no axis of its own
      pdosChart.range(low < -0.1 ? Math.max(-2, low) : 0, Math.min(6, Math.max(1.5, ...truth, ...guess)));
      pdosChart.stairs("truth", edges, truth);
      pdosChart.curve("mean", centres, usual);
      pdosChart.curve("guess", centres, guess);
    }

    function tell() {
      const { sheet, frequencies, shares, guess } = state;
      const { gradient } = live.energy(model, sheet.positions, sheet.box);
      const force = Math.max(...gradient.map(Math.abs));
      const imaginary = frequencies.filter((f) => f < -1e-4 * omega_edges.at(-1)).length;
      const square = frequencies.reduce((sum, f) => sum + Math.sign(f) * f * f, 0) / frequencies.length;
      const wrong = (other) => (100 * live.misplaced(blurred(shares), blurred(other))).toFixed(0);
      const rest = force < 1e-4 ? "at rest" : "not at rest";
      readout.textContent =
        `${sheet.positions.length / 2} atoms, ${rest}: largest force ${force.toExponential(0)} eV/Å, ` +
        `${imaginary} imaginary modes. Mean square frequency ${square.toFixed(4)} THz². ` +
        `The line puts ${wrong(guess)} % of the modes in the wrong place, the mean of the dataset ${wrong(mean)} %.`;
    }

    show(true);
    return state;
  }

  /* The atoms as circles that can be dragged, and moved with the arrow keys. */
  function sheetView(parent, state, reach, { moved }) {
    const [lx, ly] = state.sheet.box, edge = 2;
    const root = live.svg("svg", { viewBox: `${-edge} ${-edge} ${lx + 2 * edge} ${ly + 2 * edge}`, class: "live-sheet",
      tabindex: 0, role: "application", "aria-label":
        "Sheet of atoms, seen from above. The arrow keys move the chosen atom by 0.1 Å, N and P choose the next and the previous one." },
      parent);
    const frame = live.svg("rect", { class: "live-box" }, root);
    const circles = [];
    let chosen = 0, dragged = -1;

    function draw() {
      const { positions, box } = state.sheet, n = positions.length / 2;
      const around = live.coordination(positions, box, reach);
      frame.setAttribute("width", box[0]);
      frame.setAttribute("height", box[1]);
      while (circles.length > n) circles.pop().remove();
      while (circles.length < n) circles.push(live.svg("circle", { r: 1.5 }, root));
      chosen = Math.min(chosen, n - 1);
      circles.forEach(function (circle, i) {
        circle.setAttribute("cx", positions[2 * i].toFixed(3));
        circle.setAttribute("cy", positions[2 * i + 1].toFixed(3));
        const kind = around[i] === 6 ? "six" : around[i] < 6 ? "five" : "seven";
        circle.setAttribute("class", `live-${kind}${i === chosen ? " live-chosen" : ""}`);
      });
    }

    function place(event) {
      const { x, y } = new DOMPoint(event.clientX, event.clientY).matrixTransform(root.getScreenCTM().inverse());
      return [x, y];
    }
    root.addEventListener("pointerdown", function (event) {
      dragged = circles.indexOf(event.target);
      if (dragged < 0) return;
      chosen = dragged;
      root.setPointerCapture(event.pointerId);
      event.preventDefault();
      root.focus({ preventScroll: true });
    });
    root.addEventListener("pointermove", function (event) {
      if (dragged < 0 || dragged >= circles.length) return;
      state.sheet.positions.set(place(event), 2 * dragged);
      draw();
    });
    root.addEventListener("pointerup", function () {
      if (dragged >= 0) moved();
      dragged = -1;
    });
    root.addEventListener("pointercancel", () => { dragged = -1; });
    root.addEventListener("keydown", function (event) {
      const way = { ArrowLeft: [0, -0.1], ArrowRight: [0, 0.1], ArrowUp: [1, -0.1], ArrowDown: [1, 0.1] }[event.key];
      const jump = { n: 1, p: -1 }[event.key.toLowerCase()];
      if ((!way && !jump) || event.ctrlKey || event.metaKey || event.altKey) return;
      event.preventDefault();
      event.stopPropagation();   // the theme turns pages with the arrow keys
      if (jump) {
        chosen = (chosen + jump + circles.length) % circles.length;
        draw();
      } else {
        state.sheet.positions[2 * chosen + way[0]] += way[1];
        moved();
      }
    });
    return { draw };
  }

  live.start("glass", build);
})(globalThis.glassdata ??= {});
