"""Stars: an atom and its bonds, the form in which three-body potentials are computed here.

The energy of an atom is a function of the bond vectors that start at it. A potential supplies the
energy of one star, its slopes and its second derivatives; what is the same for all of them is here:
finding the bonds of an atom, how a function h(r_p, r_q, cos θ_pq) of two bonds p and q varies with
their vectors, and which blocks of the Hessian follow. ``stillinger_weber.py`` is the short example.

In all functions ``r`` (z,), ``unit`` (z, 3) and ``of`` (z, n_parameters) are the lengths (Å),
directions and parameters of the z bonds of one star, and ``table`` (n, n, n_parameters) holds the
parameters of each ordered pair of species, with the cut-off (Å) last.
"""

import numpy as np

from glassdata.kernels import compiled


@compiled
def star(start, types, first, second, vector, table):
    """The bonds of one atom that are within their own cut-off.

    Returns their indices, lengths, unit vectors and parameters (z, n_parameters), and where the
    bonds of the next atom begin.

    Parameters
    ----------
    start
        Number of the first bond of the atom.
    types : (N,)
        Number of each atom's species.
    first, second : (P,)
        Atom where each bond starts and where it ends; sorted by ``first``.
    vector : (P, 3), Å
        Bond vectors.
    table
        Parameters of the pairs of species, as above.
    """
    stop = start
    while stop < len(first) and first[stop] == first[start]:
        stop += 1
    index = np.empty(stop - start, dtype=np.int64)
    r, unit = np.empty(stop - start), np.empty((stop - start, 3))
    of = np.empty((stop - start, table.shape[2]))
    z = 0
    for p in range(start, stop):
        x, y, w = vector[p]
        length = np.sqrt(x * x + y * y + w * w)
        parameters = table[types[first[p]], types[second[p]]]
        if length < parameters[len(parameters) - 1]:
            index[z], r[z] = p, length
            for a in range(3):
                unit[z, a] = vector[p, a] / length
            for k in range(len(parameters)):
                of[z, k] = parameters[k]
            z += 1
    return index[:z], r[:z], unit[:z], of[:z], stop


@compiled
def cosine(unit, p, q):
    """Cosine of the angle between bonds p and q.

    Parameters
    ----------
    unit : (z, 3)
        Directions of the bonds of a star.
    p, q
        Numbers of two of them.
    """
    return unit[p, 0] * unit[q, 0] + unit[p, 1] * unit[q, 1] + unit[p, 2] * unit[q, 2]


@compiled
def add_outer(block, factor, a, b):
    """Add ``factor a bᵀ`` to a 3 × 3 block.

    Parameters
    ----------
    block : (3, 3)
        Changed in place.
    factor
        In the unit of the block.
    a, b : (3,)
        The two vectors.
    """
    for m in range(3):
        for n in range(3):
            block[m, n] += factor * a[m] * b[n]


@compiled
def add_across(block, factor, u):
    """Add ``factor (1 − u uᵀ)`` to a 3 × 3 block.

    Parameters
    ----------
    block : (3, 3)
        Changed in place.
    factor
        In the unit of the block.
    u : (3,)
        Direction of a bond.
    """
    add_outer(block, -factor, u, u)
    for m in range(3):
        block[m, m] += factor


@compiled
def add_pair(matrix, p, r, unit, slope, bend):
    """Add the second derivatives of φ(r_p) to ``matrix`` (z, z, 3, 3), from φ' and φ''.

    Parameters
    ----------
    matrix : (z, z, 3, 3), eV/Å²
        Changed in place.
    p
        Number of the bond.
    r, unit
        Lengths and directions of the bonds, as above.
    slope, bend
        φ' (eV/Å) and φ'' (eV/Å²) at the length of the bond.
    """
    add_outer(matrix[p, p], bend, unit[p], unit[p])
    add_across(matrix[p, p], slope / r[p], unit[p])


@compiled
def add_triple_slope(gradient, p, q, r, unit, slopes):
    """Add the derivative of h(r_p, r_q, cos θ) with respect to the bond vectors.

    Parameters
    ----------
    gradient : (z, 3), eV/Å
        Changed in place.
    p, q
        Numbers of the two bonds.
    r, unit
        Lengths and directions of the bonds, as above.
    slopes
        First derivatives h_p, h_q (eV/Å) and h_c (eV), where c is the cosine.
    """
    h_p, h_q, h_c = slopes
    c = cosine(unit, p, q)
    for a in range(3):
        gradient[p, a] += h_c * (unit[q, a] - c * unit[p, a]) / r[p]
        gradient[p, a] += h_p * unit[p, a]
        gradient[q, a] += h_c * (unit[p, a] - c * unit[q, a]) / r[q]
        gradient[q, a] += h_q * unit[q, a]


@compiled
def add_triple(matrix, p, q, r, unit, slopes, bends):
    """Add the second derivatives of h(r_p, r_q, cos θ) to blocks (p, p), (p, q), (q, p), (q, q).

    Parameters
    ----------
    matrix : (z, z, 3, 3), eV/Å²
        Changed in place.
    p, q
        Numbers of the two bonds.
    r, unit
        Lengths and directions of the bonds, as above.
    slopes
        First derivatives h_p, h_q (eV/Å) and h_c (eV), where c is the cosine.
    bends
        Second derivatives h_pp, h_qq (eV/Å²), h_cc (eV), h_pq (eV/Å²), h_pc and h_qc (eV/Å).
    """
    h_p, h_q, h_c = slopes
    h_pp, h_qq, h_cc, h_pq, h_pc, h_qc = bends
    u_p, u_q, c = unit[p], unit[q], cosine(unit, p, q)
    # The cosine varies with either vector across that bond.
    c_p, c_q = np.empty(3), np.empty(3)
    for a in range(3):
        c_p[a] = (u_q[a] - c * u_p[a]) / r[p]
        c_q[a] = (u_p[a] - c * u_q[a]) / r[q]
    _add_own(matrix[p, p], u_p, c_p, r[p], c, h_p, h_c, h_pp, h_cc, h_pc)
    _add_own(matrix[q, q], u_q, c_q, r[q], c, h_q, h_c, h_qq, h_cc, h_qc)
    cross = np.zeros((3, 3))
    add_outer(cross, h_cc, c_p, c_q)
    add_outer(cross, h_qc, c_p, u_q)
    add_across(cross, h_c / (r[p] * r[q]), u_q)
    add_outer(cross, h_pc - h_c / r[p], u_p, c_q)
    add_outer(cross, h_pq, u_p, u_q)
    for a in range(3):
        for b in range(3):
            matrix[p, q, a, b] += cross[a, b]
            matrix[q, p, b, a] += cross[a, b]


@compiled
def _add_own(block, u, across, r, c, slope, h_c, bend, h_cc, h_rc):
    """Second derivatives of h with respect to one of its two bonds."""
    add_outer(block, h_cc, across, across)
    add_outer(block, h_rc - h_c / r, across, u)
    add_outer(block, h_rc - h_c / r, u, across)
    add_across(block, -h_c * c / r**2, u)
    add_outer(block, bend, u, u)
    add_across(block, slope / r, u)


@compiled
def empty_blocks(types, first, second, vector, table):
    """Room for the blocks of all stars, each with (z + 1)²: rows, columns, blocks of zeros.

    Parameters
    ----------
    types, first, second, vector, table
        All atoms and bonds, as for ``star``.
    """
    count, start = 0, np.int64(0)
    while start < len(first):
        index, _, _, _, start = star(start, types, first, second, vector, table)
        count += (len(index) + 1) ** 2
    rows, columns = np.empty(count, dtype=np.int32), np.empty(count, dtype=np.int32)
    return rows, columns, np.zeros((count, 3, 3))


@compiled
def spread(matrix, filled, centre, index, second, rows, columns, blocks):
    """Write the blocks between atoms that follow from those between the bonds of one star.

    Returns the number of blocks that are written now.

    Parameters
    ----------
    matrix : (z, z, 3, 3), eV/Å²
        Second derivatives of the star's energy by its bond vectors.
    filled
        Number of blocks that are written already.
    centre
        The atom whose star it is.
    index : (z,)
        Numbers of the star's bonds among all bonds.
    second : (P,)
        Atom where each bond ends.
    rows, columns, blocks
        What ``empty_blocks`` returns; changed in place.
    """
    side = len(matrix) + 1
    for p in range(side):
        for q in range(side):
            slot = filled + p * side + q
            rows[slot] = centre if p == 0 else second[index[p - 1]]
            columns[slot] = centre if q == 0 else second[index[q - 1]]
    # A bond vector moves with its far end and against its near end, the centre.
    for p in range(len(matrix)):
        for q in range(len(matrix)):
            for a in range(3):
                for b in range(3):
                    value = matrix[p, q, a, b]
                    blocks[filled + (p + 1) * side + q + 1, a, b] += value
                    blocks[filled + (p + 1) * side, a, b] -= value
                    blocks[filled + q + 1, a, b] -= value
                    blocks[filled, a, b] += value
    return filled + side * side
