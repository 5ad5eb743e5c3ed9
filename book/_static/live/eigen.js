/* Eigenvalues of a real symmetric matrix.
 *
 * Householder reflections turn the matrix into a tridiagonal one with the same eigenvalues; implicit
 * QL steps then make that diagonal (Golub and Van Loan, Matrix Computations, section 8.3). The work
 * is 4/3 n^3 operations, almost all of them in the reflections.
 */
(function (live) {
  "use strict";

  /* Diagonal d and subdiagonal e (e[0] = 0) of the tridiagonal matrix. `a` holds n rows of n numbers,
   * of which the lower triangle is read, and is overwritten. */
  function tridiagonal(a, n) {
    const d = new Float64Array(n), e = new Float64Array(n);
    const v = new Float64Array(n), p = new Float64Array(n);
    for (let k = n - 1; k > 1; k--) {
      // Row k, left of its diagonal, is reflected onto its last entry.
      let scale = 0;
      for (let j = 0; j < k; j++) scale = Math.max(scale, Math.abs(a[k * n + j]));
      if (scale === 0) continue;
      let square = 0;
      for (let j = 0; j < k; j++) {
        v[j] = a[k * n + j] / scale;
        square += v[j] * v[j];
      }
      // The sign avoids the difference of two nearly equal numbers.
      const length = v[k - 1] > 0 ? -Math.sqrt(square) : Math.sqrt(square);
      e[k] = scale * length;
      const half = square - v[k - 1] * length;   // |v|^2 / 2 after the next line
      v[k - 1] -= length;
      reflect(a, n, k, v, p, half);
    }
    if (n > 1) e[1] = a[n];
    for (let k = 0; k < n; k++) d[k] = a[k * n + k];
    return [d, e];
  }

  /* A - v q^T - q v^T in the leading k x k block: what the reflection I - v v^T / half does to A. */
  function reflect(a, n, k, v, p, half) {
    p.fill(0, 0, k);
    for (let i = 0; i < k; i++) {
      const row = i * n, vi = v[i];
      let sum = a[row + i] * vi;
      for (let j = 0; j < i; j++) {
        sum += a[row + j] * v[j];
        p[j] += a[row + j] * vi;
      }
      p[i] += sum;
    }
    let overlap = 0;
    for (let i = 0; i < k; i++) {
      p[i] /= half;
      overlap += p[i] * v[i];
    }
    const shift = overlap / (2 * half);
    for (let i = 0; i < k; i++) p[i] -= shift * v[i];
    for (let i = 0; i < k; i++) {
      const row = i * n, vi = v[i], pi = p[i];
      for (let j = 0; j <= i; j++) a[row + j] -= vi * p[j] + pi * v[j];
    }
  }

  /* Implicit QL steps with Wilkinson's shift until every e vanishes; d then holds the eigenvalues. */
  function diagonalise(d, e) {
    const n = d.length;
    e.copyWithin(0, 1);
    e[n - 1] = 0;
    for (let l = 0; l < n; l++) {
      for (let step = 0; ; step++) {
        let m = l;
        while (m < n - 1 && Math.abs(e[m]) > Number.EPSILON * (Math.abs(d[m]) + Math.abs(d[m + 1]))) m++;
        if (m === l) break;
        if (step === 60) throw new Error("the eigenvalues do not converge: is every number finite?");
        chase(d, e, l, m);
      }
    }
  }

  /* One QL step on rows l to m: rotations carry the bulge from the bottom to the top. */
  function chase(d, e, l, m) {
    let g = (d[l + 1] - d[l]) / (2 * e[l]);
    g = d[m] - d[l] + e[l] / (g + Math.sign(g || 1) * Math.hypot(g, 1));
    let s = 1, c = 1, p = 0;
    for (let i = m - 1; i >= l; i--) {
      const f = s * e[i], b = c * e[i];
      const r = Math.hypot(f, g);
      e[i + 1] = r;
      if (r === 0) {   // the matrix has fallen into two
        d[i + 1] -= p;
        e[m] = 0;
        return;
      }
      s = f / r;
      c = g / r;
      g = d[i + 1] - p;
      const t = (d[i] - g) * s + 2 * c * b;
      p = s * t;
      d[i + 1] = g + p;
      g = c * t - b;
    }
    d[l] -= p;
    e[l] = g;
    e[m] = 0;
  }

  /* Ascending eigenvalues of the symmetric matrix `a` (n rows of n numbers), which is overwritten. */
  live.eigenvalues = function (a, n) {
    const [d, e] = tridiagonal(a, n);
    diagonalise(d, e);
    return d.sort();
  };
})(globalThis.glassdata ??= {});
