/* Atoms that the reader turns: a canvas, drawn from back to front without perspective. */
(function (live) {
  "use strict";
  const TURN = 10 * Math.PI / 180;      // by an arrow key
  const DRAGGED = 0.008;                // radians per pixel
  // Okabe and Ito's colours, told apart by colour-blind readers; sizes in angstrom.
  const ELEMENTS = {
    6: ["C", "#6b6b6b", 0.45], 13: ["Al", "#e69f00", 0.8], 14: ["Si", "#e69f00", 0.65], 18: ["Ar", "#56b4e9", 1.1],
    24: ["Cr", "#0072b2", 0.75], 25: ["Mn", "#cc79a7", 0.75], 26: ["Fe", "#d55e00", 0.75], 27: ["Co", "#0072b2", 0.75],
    28: ["Ni", "#009e73", 0.75], 29: ["Cu", "#d55e00", 0.75], 40: ["Zr", "#56b4e9", 0.95],
  };
  const MOST = 6;                       // neighbours, for bonds to be drawn
  const UNKNOWN = ["", "#cc79a7", 0.7];
  // Fewer neighbours than usual, as many, more.
  const AROUND = ["#d55e00", "#9a9a9a", "#0072b2"];

  /* Pairs of atoms closer than `length` in a periodic box, [i, j, across]: `across` says that the
   * bond leaves the box. Cells are those of the row vectors a, b, c. */
  live.bonds = function (positions, cell, length) {
    const n = positions.length / 3, found = [], inverse = inverted(cell), s = new Float64Array(3 * n);
    for (let i = 0; i < n; i++) {
      for (let d = 0; d < 3; d++) {
        s[3 * i + d] = [0, 1, 2].reduce((sum, e) => sum + positions[3 * i + e] * inverse[3 * e + d], 0);
      }
    }
    for (let i = 0; i < n; i++) {
      for (let j = 0; j < i; j++) {
        let square = 0, across = false;
        const f = [0, 1, 2].map((d) => s[3 * i + d] - s[3 * j + d]), w = f.map((x) => x - Math.round(x));
        for (let e = 0; e < 3; e++) square += (w[0] * cell[e] + w[1] * cell[3 + e] + w[2] * cell[6 + e]) ** 2;
        if (square >= length * length) continue;
        for (let d = 0; d < 3; d++) if (Math.abs(f[d] - w[d]) > 0.5) across = true;
        found.push([i, j, across]);
      }
    }
    return found;
  };

  /* Number of neighbours of each atom. */
  live.neighbours = function (n, bonds) {
    const counts = new Int32Array(n);
    for (const [i, j] of bonds) { counts[i]++; counts[j]++; }
    return counts;
  };

  function inverted([a, b, c, d, e, f, g, h, i]) {
    const by = a * (e * i - f * h) - b * (d * i - f * g) + c * (d * h - e * g);
    return [e * i - f * h, c * h - b * i, b * f - c * e, f * g - d * i, a * i - c * g, c * d - a * f,
            d * h - e * g, b * g - a * h, a * e - b * d].map((x) => x / by);
  }

  /* The view. `show({positions, numbers, cell, counts, usual, bonds, flat}, said)` draws a structure;
   * flat ones are seen from above. `colour` is "element" or "neighbours". */
  live.atoms = function (parent) {
    const canvas = live.html("canvas", { className: "live-atoms", tabIndex: 0 }, parent);
    canvas.setAttribute("role", "img");
    const state = { turned: null, zoom: 1, colour: "element", structure: null };
    const home = (flat) => (flat ? [1, 0, 0, 0, 1, 0, 0, 0, 1] : around(1, -0.35, around(0, 0.3, [1, 0, 0, 0, 1, 0, 0, 0, 1])));

    function show(structure, said) {
      if (!state.structure || state.structure.flat !== structure.flat) state.turned = home(structure.flat);
      state.structure = structure;
      canvas.setAttribute("aria-label", `${said}. Arrow keys turn it, plus and minus make it larger and smaller, Home turns it back.`);
      draw();
    }

    function draw() {
      const { structure } = state, width = canvas.clientWidth;
      if (!structure || !width) return;
      const height = Math.round(0.8 * width), dots = globalThis.devicePixelRatio || 1;
      canvas.width = width * dots;
      canvas.height = height * dots;
      const pen = canvas.getContext("2d"), style = getComputedStyle(canvas);
      pen.scale(dots, dots);
      const seen = projected(structure, state.turned);
      const scale = state.zoom * 0.94 * Math.min(width, height) / seen.extent;
      const x = (k) => width / 2 + scale * seen.points[3 * k], y = (k) => height / 2 - scale * seen.points[3 * k + 1];
      frame(pen, seen.corners, width, height, scale, style.getPropertyValue("--live-quiet"));
      const ink = style.getPropertyValue("--live-text"), paint = colours(structure, state.colour);
      for (const item of seen.order) {
        if (item.length === 2) {
          pen.beginPath();
          pen.moveTo(x(item[0]), y(item[0]));
          pen.lineTo(x(item[1]), y(item[1]));
          Object.assign(pen, { strokeStyle: style.getPropertyValue("--live-quiet"), lineWidth: Math.max(1, 0.14 * scale) });
          pen.stroke();
          continue;
        }
        const [k] = item, [, , size] = ELEMENTS[structure.numbers[k]] ?? UNKNOWN;
        pen.beginPath();
        pen.arc(x(k), y(k), Math.max(1.2, 0.62 * size * scale), 0, 2 * Math.PI);
        pen.fillStyle = paint[k];
        pen.fill();
        Object.assign(pen, { strokeStyle: ink, lineWidth: 0.5 });
        pen.stroke();
      }
    }

    function turn(right, up) {
      state.turned = around(1, right, around(0, up, state.turned));
      draw();
    }
    const KEYS = { ArrowLeft: () => turn(-TURN, 0), ArrowRight: () => turn(TURN, 0), ArrowUp: () => turn(0, -TURN),
      ArrowDown: () => turn(0, TURN), "+": () => enlarge(1.25), "=": () => enlarge(1.25), "-": () => enlarge(0.8),
      Home: () => { state.turned = home(state.structure.flat); state.zoom = 1; draw(); } };
    function enlarge(by) {
      state.zoom = Math.max(0.5, Math.min(8, state.zoom * by));
      draw();
    }
    canvas.addEventListener("keydown", function (event) {
      if (!KEYS[event.key] || event.ctrlKey || event.metaKey) return;
      event.preventDefault();
      KEYS[event.key]();
    });
    canvas.addEventListener("pointerdown", (event) => canvas.setPointerCapture(event.pointerId));
    canvas.addEventListener("pointermove", function (event) {
      if (canvas.hasPointerCapture(event.pointerId)) turn(DRAGGED * event.movementX, DRAGGED * event.movementY);
    });
    new ResizeObserver(draw).observe(canvas);
    // Light or dark is an attribute of the page.
    new MutationObserver(draw).observe(document.documentElement, { attributeFilter: ["data-theme"] });
    return { canvas, show, state, set colour(name) { state.colour = name; draw(); } };
  };

  /* Rotation by an angle about axis 0 or 1 of the screen, after what was turned before. */
  function around(axis, angle, matrix) {
    const c = Math.cos(angle), s = Math.sin(angle);
    const by = axis === 0 ? [1, 0, 0, 0, c, -s, 0, s, c] : [c, 0, s, 0, 1, 0, -s, 0, c];
    return matrix.map((_, k) => [0, 1, 2].reduce((sum, m) => sum + by[3 * Math.floor(k / 3) + m] * matrix[3 * m + (k % 3)], 0));
  }

  const rotated = (m, [x, y, z]) => [0, 3, 6].map((k) => m[k] * x + m[k + 1] * y + m[k + 2] * z);

  /* Points on the screen about its middle, and in which order they are drawn, from the back. */
  function projected({ positions, cell, bonds, usual, flat }, matrix) {
    const n = positions.length / 3, points = new Float64Array(3 * n);
    // A sheet lies in a box that is mostly empty.
    const edges = [0, 1, 2].map((k) => (flat && k === 2 ? [0, 0, 0] : cell.slice(3 * k, 3 * k + 3)));
    let height = 0;
    if (flat) for (let k = 0; k < n; k++) height += positions[3 * k + 2] / n;
    const middle = [0, 1, 2].map((d) => edges.reduce((sum, edge) => sum + edge[d] / 2, 0) + (d === 2 ? height : 0));
    for (let k = 0; k < n; k++) {
      points.set(rotated(matrix, [0, 1, 2].map((d) => positions[3 * k + d] - middle[d])), 3 * k);
    }
    const corners = [0, 1, 2, 3, 4, 5, 6, 7].map((bits) => rotated(matrix,
      [0, 1, 2].map((d) => edges.reduce((sum, edge, k) => sum + ((bits >> k) & 1 ? 0.5 : -0.5) * edge[d], 0))));
    const depth = (item) => item.reduce((sum, k) => sum + points[3 * k + 2], 0) / item.length - (item.length - 1) * 1e-6;
    const items = [...Array(n).keys()].map((k) => [k]);
    // Where every atom touches a dozen others, bonds would hide the atoms.
    if (usual <= MOST) for (const [i, j, across] of bonds) if (!across) items.push([i, j]);
    const order = items.map((item) => [depth(item), item]).sort((a, b) => a[0] - b[0]).map(([, item]) => item);
    // As large as the box is across, however it is turned.
    const extent = Math.hypot(...middle.map((m, d) => 2 * (m - (d === 2 ? height : 0)))) * (flat ? 0.75 : 0.8);
    return { points, corners, order, extent };
  }

  function frame(pen, corners, width, height, scale, colour) {
    Object.assign(pen, { strokeStyle: colour, lineWidth: 1 });
    pen.beginPath();
    for (let a = 0; a < 8; a++) {
      for (const bit of [1, 2, 4]) {
        if (a & bit) continue;
        pen.moveTo(width / 2 + scale * corners[a][0], height / 2 - scale * corners[a][1]);
        pen.lineTo(width / 2 + scale * corners[a | bit][0], height / 2 - scale * corners[a | bit][1]);
      }
    }
    pen.stroke();
  }

  function colours({ numbers, counts, usual }, by) {
    if (by === "element") return Array.from(numbers, (z) => (ELEMENTS[z] ?? UNKNOWN)[1]);
    return Array.from(counts, (count) => AROUND[1 + Math.sign(count - usual)]);
  }

  /* What the colours mean, below the view. */
  live.atomKey = function (parent) {
    const line = live.html("p", { className: "live-key" }, parent);
    return function (numbers, usual, by) {
      line.replaceChildren();
      const entries = by === "element"
        ? [...new Set(numbers)].map((z) => [ELEMENTS[z]?.[0] || `element ${z}`, (ELEMENTS[z] ?? UNKNOWN)[1]])
        : [`fewer than ${usual} neighbours`, String(usual), "more"].map((word, k) => [word, AROUND[k]]);
      for (const [word, colour] of entries) {
        const entry = live.html("span", {}, line);
        const sample = live.svg("svg", { viewBox: "0 0 12 12", width: 12, height: 12, "aria-hidden": "true" }, entry);
        live.svg("circle", { cx: 6, cy: 6, r: 5, fill: colour }, sample);
        entry.append(" " + word);
      }
    };
  };

  /* With bonds, counts of neighbours, and the count that is usual. */
  live.structure = function (atoms, bond_length) {
    const bonds = live.bonds(atoms.positions, atoms.cell, bond_length);
    const counts = live.neighbours(atoms.numbers.length, bonds);
    return { ...atoms, bonds, counts, usual: live.usual(counts) };
  };

  /* The number of neighbours that most atoms have. */
  live.usual = function (counts) {
    const times = new Map();
    for (const count of counts) times.set(count, (times.get(count) ?? 0) + 1);
    return [...times].sort((a, b) => b[1] - a[1])[0][0];
  };
})(globalThis.glassdata ??= {});
