/* What can be done to a sheet of atoms: build it, displace it, remove atoms, heat it, relax it.
 *
 * A sheet is {positions, velocities, box}; see physics.js for the units.
 */
(function (live) {
  "use strict";

  /* Uniform random numbers in (0, 1) that repeat for the same seed (mulberry32), and normal ones. */
  live.random = function (seed) {
    let state = seed >>> 0;
    function uniform() {
      state = (state + 0x6d2b79f5) >>> 0;
      let t = Math.imul(state ^ (state >>> 15), state | 1);
      t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
      return (((t ^ (t >>> 14)) >>> 0) + 0.5) / 4294967296;
    }
    const normal = () => Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform());
    return { uniform, normal };
  };

  /* Triangular lattice: cells[0] x cells[1] rectangular cells [a, h] of two atoms. */
  live.crystal = function (cell, cells) {
    const [a, h] = cell, positions = [];
    for (let row = 0; row < 2 * cells[1]; row++) {
      for (let column = 0; column < cells[0]; column++) {
        positions.push((column + (row % 2) / 2 + 0.25) * a, ((row + 0.5) * h) / 2);
      }
    }
    return {
      positions: Float64Array.from(positions),
      velocities: new Float64Array(positions.length),
      box: [a * cells[0], h * cells[1]],
    };
  };

  /* Every coordinate moved by a normal random number of this standard deviation, angstrom. */
  live.displace = function (sheet, deviation, random) {
    for (let k = 0; k < sheet.positions.length; k++) sheet.positions[k] += deviation * random.normal();
    sheet.velocities.fill(0);
  };

  /* A number of randomly chosen atoms taken out. */
  live.remove = function (sheet, count, random) {
    let positions = Array.from(sheet.positions);
    for (let k = 0; k < count; k++) {
      positions.splice(2 * Math.floor((random.uniform() * positions.length) / 2), 2);
    }
    sheet.positions = Float64Array.from(positions);
    sheet.velocities = new Float64Array(positions.length);
  };

  /* Atoms outside the box brought back into it; nothing else changes. */
  live.wrap = function (sheet) {
    sheet.positions.forEach(function (x, k) {
      const length = sheet.box[k % 2];
      sheet.positions[k] = x - length * Math.floor(x / length);
    });
  };

  /* Steps of Langevin dynamics at `kelvin`, in a box that keeps its size: velocity Verlet, then
   * friction and noise. A time unit is 10.18 fs; a step of half of it resolves the fastest mode 50
   * times. Positions that were drawn or displaced may have atoms on top of each other, and no step
   * may shoot them out: velocities are cut at 3 angstrom per time unit. */
  live.heat = function (model, sheet, kelvin, steps, random) {
    const dt = 0.5, keep = Math.exp(-0.02 * dt), { positions: x, velocities: v } = sheet;
    const noise = Math.sqrt(((1 - keep * keep) * model.boltzmann * kelvin) / model.mass);
    const kick = (gradient) => {
      for (let k = 0; k < x.length; k++) {
        v[k] = Math.max(-3, Math.min(3, v[k] - (dt / 2 / model.mass) * gradient[k]));
      }
    };
    let gradient = live.energy(model, x, sheet.box).gradient;
    for (let step = 0; step < steps; step++) {
      kick(gradient);
      for (let k = 0; k < x.length; k++) x[k] += dt * v[k];
      gradient = live.energy(model, x, sheet.box).gradient;
      kick(gradient);
      for (let k = 0; k < x.length; k++) v[k] = keep * v[k] + noise * random.normal();
    }
  };

  /* A minimisation of the energy over positions and size of the box: call its `step` until it
   * returns true, when no force exceeds `maxForce` and the pressure is as small.
   *
   * Limited-memory BFGS (Nocedal and Wright, Numerical Optimization, algorithm 7.4) with backtracking.
   * The last variable is the logarithm of the box in units that make it as stiff as an atom. */
  live.relaxation = function (model, sheet, maxForce) {
    const n = sheet.positions.length, box0 = sheet.box.slice(), unit = Math.sqrt(n / 2) * model.sigma;
    const q = new Float64Array(n + 1), past = [];
    q.set(sheet.positions);
    sheet.velocities.fill(0);

    function at(point) {
      const stretch = Math.exp(point[n] / unit), slope = new Float64Array(n + 1);
      const positions = point.slice(0, n).map((x) => x * stretch);
      const box = box0.map((length) => length * stretch);
      const { energy, gradient, virial } = live.energy(model, positions, box);
      for (let k = 0; k < n; k++) slope[k] = gradient[k] * stretch;
      slope[n] = virial / unit;
      return { energy, slope, positions, box, force: Math.max(...slope.map(Math.abs)) };
    }

    let here = at(q);

    function step() {
      if (here.force < maxForce) return true;
      const way = direction(here.slope, past);
      // Never more than 0.2 angstrom: displaced atoms may lie on top of each other.
      let length = Math.min(1, 0.2 / Math.max(...way.map(Math.abs)));
      const slope = dot(way, here.slope);
      for (let halvings = 0; halvings < 40; halvings++, length /= 2) {
        const there = at(q.map((x, k) => x + length * way[k]));
        // When the energy no longer resolves the progress, the force decides.
        const fine = there.energy <= here.energy + 1e-4 * length * slope || there.force < 0.9 * here.force;
        if (!fine) continue;
        remember(past, way.map((w) => length * w), there.slope.map((g, k) => g - here.slope[k]));
        for (let k = 0; k <= n; k++) q[k] += length * way[k];
        here = there;
        sheet.positions.set(here.positions);
        sheet.box = here.box;
        return here.force < maxForce;
      }
      if (past.length === 0) throw new Error("the energy does not fall along the force");
      past.length = 0;   // start again from the steepest descent
      return false;
    }
    return { step };
  };

  const dot = (a, b) => a.reduce((sum, x, k) => sum + x * b[k], 0);

  function remember(past, moved, changed) {
    const product = dot(moved, changed);
    if (product <= 1e-12 * dot(changed, changed)) return;
    past.push({ moved, changed, product });
    if (past.length > 20) past.shift();
  }

  /* Minus the approximate inverse Hessian times the gradient. */
  function direction(slope, past) {
    const way = slope.map((g) => -g), weights = [];
    for (let k = past.length - 1; k >= 0; k--) {
      weights[k] = dot(past[k].moved, way) / past[k].product;
      way.forEach((_, i) => { way[i] -= weights[k] * past[k].changed[i]; });
    }
    const last = past[past.length - 1];
    const softness = last ? last.product / dot(last.changed, last.changed) : 1;
    way.forEach((_, i) => { way[i] *= softness; });
    past.forEach(function (pair, k) {
      const other = dot(pair.changed, way) / pair.product;
      way.forEach((_, i) => { way[i] += (weights[k] - other) * pair.moved[i]; });
    });
    return way;
  }
})(globalThis.glassdata ??= {});
