"""A structure whose observables are computed when they are asked for, its modes only once."""

from collections.abc import Callable
from functools import cached_property
from typing import Any

import numpy as np
from ase import Atoms

from glassdata.observables.boson import BosonPeak, boson_peak
from glassdata.observables.conductivity import GRAPHITE_LAYER
from glassdata.observables.one_phonon import Probe, Scattering, commensurate, scattering
from glassdata.observables.rest import modes_at_rest
from glassdata.potentials import EnergySurface
from glassdata.vibrations import Modes, modes

#: Longest wave vector whose spectra are computed, 1/Å, and how many at most.
LONGEST_WAVE, MOST_WAVES = 2.0, 24
# Bins of a boson peak are wider: at low frequency modes are few.
_WIDER = 4


class Observed:
    """One structure with its potential, as the functions of ``Variable`` take it.

    Parameters
    ----------
    atoms : Atoms
        At rest.
    potential : Potential
    omega_edges : (n_omega + 1,) THz

    Examples
    --------
    >>> import glassdata as gd
    >>> from glassdata.observables import OBSERVABLES
    >>> argon = gd.SYSTEMS["lj3d"]
    >>> structure = Observed(argon.crystal() * (2, 2, 2), argon.potential, argon.omega_edges)
    >>> OBSERVABLES["heat"]["heat_capacity"].value(structure).shape
    (6,)
    """

    def __init__(self, atoms: Atoms, potential: EnergySurface, omega_edges: np.ndarray) -> None:
        self.atoms, self.potential, self.omega_edges = atoms, potential, omega_edges
        self._kept: dict[Any, Any] = {}

    @cached_property
    def modes(self) -> Modes:
        """All modes, translations included."""
        return modes(self.atoms, self.potential)

    @cached_property
    def frequencies(self) -> np.ndarray:
        """Frequencies without translations, (n_modes,), THz."""
        found, vibrating = modes_at_rest(self.atoms, self.potential, self.modes)
        return found.frequencies[vibrating]

    @property
    def sheet(self) -> dict[str, float]:
        """Settings that only a sheet needs: its thickness."""
        return {} if self.atoms.pbc.all() else {"thickness": GRAPHITE_LAYER}

    def of(self, observable: Callable[..., Any], **settings: Any) -> Any:
        """What an observable is for this structure, computed once.

        Parameters
        ----------
        observable : callable
            A function of ``atoms``, ``potential`` and ``modes``.
        **settings
            Of the observable.
        """
        key = observable, tuple(sorted(settings.items()))
        if key not in self._kept:
            self._kept[key] = observable(self.atoms, self.potential, modes=self.modes, **settings)
        return self._kept[key]

    def waves(self, probe: Probe) -> Scattering:
        """Exact spectra of the longest waves that fit the cell."""
        if probe not in self._kept:
            q = commensurate(self.atoms, LONGEST_WAVE)[:MOST_WAVES]
            self._kept[probe] = scattering(
                self.atoms, self.potential, q, self.omega_edges, probe=probe, modes=self.modes
            )
        return self._kept[probe]

    @cached_property
    def boson(self) -> BosonPeak:
        """Boson peak in bins four times as wide as those of the spectrum."""
        edges = self.omega_edges[::_WIDER]
        return boson_peak(self.atoms, self.potential, edges, modes=self.modes)
