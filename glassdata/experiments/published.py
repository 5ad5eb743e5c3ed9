"""Published correlations of others' models with the propensity of the planar mixture.

From GlassBench (doi 10.5281/zenodo.10118191, Creative Commons Attribution 4.0), the benchmark that
goes with the roadmap of Jung and co-workers (arXiv 2311.14752): its files ``FIG3.dat`` and
``FIG4.dat`` of the ternary mixture in the plane, and ``rhomax_T0.30_MD.dat`` and
``rhomax_T0.30_BB.dat``, rounded to three decimals. We have the files' numbers and not their words;
that ``MD`` is a displacement and ``BB`` counts bonds that are left, we take from the names of the
files and from the signs of the correlations with density and energy, which are opposite.

>>> TEMPERATURE, LINEAR, NETWORKS
(0.3, 'CAGE', ('BOTAN', 'SE3', 'GlassMLP'))
>>> float(GLASSBENCH["displacement"][LINEAR].max())
0.792
"""

from collections.abc import Mapping

import numpy as np

Curves = Mapping[str, np.ndarray]

#: Temperature of the published curves, in the mixture's unit.
TEMPERATURE = 0.30
#: The linear model: a ridge regression on the surroundings in the cage state.
LINEAR = "CAGE"
#: Networks: two graph networks, and a small one on descriptors of the surroundings.
NETWORKS = ("BOTAN", "SE3", "GlassMLP")


def _curves(text: str) -> Curves:
    """Columns of a table, by the names in its first line; ``time`` in the mixture's unit."""
    names, *rows = (line.split() for line in text.strip().splitlines())
    return dict(zip(names, np.array(rows, float).T, strict=True))


#: By the measure of motion: Pearson's r of every model, that of the energy alone, and the largest
#: that a prediction can have, ``ceiling``, against time.
GLASSBENCH: Mapping[str, Curves] = {
    "displacement": _curves("""
time     BOTAN CAGE  GlassMLP SE3   energy ceiling
0.11     0.924 0.392 0.260    0.891 0.021  0.942
1.25     0.856 0.631 0.740    0.655 0.043  0.959
14.14    0.673 0.792 0.660    0.552 0.094  0.950
158.74   0.670 0.745 0.615    0.619 0.176  0.948
1781.79  0.723 0.652 0.673    0.716 0.298  0.933
20000    0.670 0.622 0.659    0.718 0.477  0.862
"""),
    "broken": _curves("""
time     BOTAN CAGE  GlassMLP SE3   energy ceiling
1.25     0.556 0.220 -0.009   0.512 0.013  0.962
14.14    0.556 0.360 0.186    0.479 0.063  0.939
158.74   0.620 0.545 0.413    0.577 0.166  0.930
1781.79  0.715 0.681 0.666    0.725 0.318  0.935
20000    0.788 0.729 0.767    0.797 0.534  0.924
"""),
}
