/* A sheet of Lennard-Jones atoms: energy, forces, Hessian, frequencies, g(r) and PDOS.
 *
 * Positions are one array x0, y0, x1, y1, ...; the box is [Lx, Ly], periodic in both directions.
 * Units as in the Python package: angstrom, eV, atomic mass units, THz. A `model` names the numbers:
 * epsilon, sigma, r_cut, mass, thz (THz per root of eV/(angstrom^2 u)), boltzmann (eV/K).
 */
(function (live) {
  "use strict";

  /* 4 epsilon [(sigma/r)^12 - (sigma/r)^6] and its two derivatives. */
  function bare(model, r) {
    const s2 = (model.sigma / r) ** 2, s6 = s2 * s2 * s2;
    return [
      4 * model.epsilon * s6 * (s6 - 1),
      (-24 * model.epsilon * s6 * (2 * s6 - 1)) / r,
      (24 * model.epsilon * s6 * (26 * s6 - 7)) / (r * r),
    ];
  }

  /* A function of r that gives [energy, slope, curvature] of a pair. A straight line is subtracted,
   * so that energy and force vanish at r_cut. */
  function pair(model) {
    const [energyAtCut, slopeAtCut] = bare(model, model.r_cut);
    return function (r) {
      const [energy, slope, curvature] = bare(model, r);
      return [energy - energyAtCut - slopeAtCut * (r - model.r_cut), slope - slopeAtCut, curvature];
    };
  }

  /* Calls visit(i, j, dx, dy, r) for each pair of atoms, once, at its nearest images, if r < reach. */
  function eachPair(positions, box, reach, visit) {
    const [lx, ly] = box, n = positions.length / 2;
    if (2 * reach > Math.min(lx, ly)) {
      throw new Error(`the box, ${lx.toFixed(1)} x ${ly.toFixed(1)} Å, is too small for a reach of ${reach} Å`);
    }
    for (let i = 0; i < n; i++) {
      for (let j = 0; j < i; j++) {
        let dx = positions[2 * j] - positions[2 * i];
        let dy = positions[2 * j + 1] - positions[2 * i + 1];
        dx -= lx * Math.round(dx / lx);
        dy -= ly * Math.round(dy / ly);
        const square = dx * dx + dy * dy;
        if (square < reach * reach) visit(i, j, dx, dy, Math.sqrt(square));
      }
    }
  }

  /* Energy, its gradient, and its derivative by ln L when the box and all positions are stretched. */
  live.energy = function (model, positions, box) {
    const pairOf = pair(model), gradient = new Float64Array(positions.length);
    let energy = 0, virial = 0;
    eachPair(positions, box, model.r_cut, function (i, j, dx, dy, r) {
      const [value, slope] = pairOf(r), x = (slope * dx) / r, y = (slope * dy) / r;
      energy += value;
      virial += slope * r;
      gradient[2 * i] -= x;
      gradient[2 * i + 1] -= y;
      gradient[2 * j] += x;
      gradient[2 * j + 1] += y;
    });
    return { energy, gradient, virial };
  };

  /* Second derivatives of the energy, 2N rows of 2N numbers, eV/angstrom^2. */
  live.hessian = function (model, positions, box) {
    const pairOf = pair(model), n = positions.length, H = new Float64Array(n * n);
    eachPair(positions, box, model.r_cut, function (i, j, dx, dy, r) {
      const [, slope, curvature] = pairOf(r), unit = [dx / r, dy / r], tension = slope / r;
      for (let a = 0; a < 2; a++) {
        for (let b = 0; b < 2; b++) {
          // Stiff along the bond (curvature), and across it as far as the bond is under tension.
          const k = (curvature - tension) * unit[a] * unit[b] + (a === b ? tension : 0);
          H[(2 * i + a) * n + 2 * i + b] += k;
          H[(2 * j + a) * n + 2 * j + b] += k;
          H[(2 * i + a) * n + 2 * j + b] -= k;
          H[(2 * j + a) * n + 2 * i + b] -= k;
        }
      }
    });
    return H;
  };

  /* Frequencies in THz, ascending, without the two translations; imaginary ones are negative. */
  live.frequencies = function (model, positions, box) {
    const squares = live.eigenvalues(live.hessian(model, positions, box), positions.length);
    const signed = squares.map((s) => Math.sign(s) * Math.sqrt(Math.abs(s) / model.mass) * model.thz);
    const bySize = Array.from(signed).sort((a, b) => Math.abs(a) - Math.abs(b));
    return Float64Array.from(bySize.slice(2)).sort();
  };

  /* Bin of x among ascending edges, -1 if outside; the last edge belongs to the last bin. */
  function binOf(x, edges) {
    const last = edges.length - 1;
    if (!(x >= edges[0] && x <= edges[last])) return -1;
    let low = 0, high = last;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (x >= edges[middle]) low = middle;
      else high = middle;
    }
    return low;
  }

  /* Radial distribution function, averaged over each bin; rings in the plane, atoms per area. */
  live.rdf = function (positions, box, edges) {
    const n = positions.length / 2, density = n / (box[0] * box[1]);
    const g = new Float64Array(edges.length - 1), reach = edges[edges.length - 1];
    eachPair(positions, box, reach, function (i, j, dx, dy, r) {
      const bin = binOf(r, edges);
      if (bin >= 0) g[bin] += 2;
    });
    return g.map((count, k) => count / (n * density * Math.PI * (edges[k + 1] ** 2 - edges[k] ** 2)));
  };

  /* Shares of the modes in each bin of frequency; they add up to 1 over the modes in the range. */
  live.shares = function (frequencies, edges) {
    const counts = new Float64Array(edges.length - 1);
    for (const frequency of frequencies) {
      const bin = binOf(frequency, edges);
      if (bin >= 0) counts[bin] += 1;
    }
    const total = counts.reduce((sum, count) => sum + count, 0);
    return counts.map((count) => (total ? count / total : 0));
  };

  /* Number of neighbours of each atom closer than `reach`. */
  live.coordination = function (positions, box, reach) {
    const found = new Uint8Array(positions.length / 2);
    eachPair(positions, box, reach, function (i, j) {
      found[i] += 1;
      found[j] += 1;
    });
    return found;
  };
})(globalThis.glassdata ??= {});
