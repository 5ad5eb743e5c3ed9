"""The knobs of a preparation, as variables of the dataset; each protocol sets those it has."""

from collections.abc import Mapping

from glassdata.variable import Variable, per_structure

KNOBS: Mapping[str, Variable] = {
    "parent": per_structure("i4", "1", "structures of one parent share a template or a melt: never split them"),
    "replicate": per_structure("bool", "1", "independent repeat of one fixed preparation"),
    "ensemble": per_structure("U12", "1", "displaced, quenched, equilibrated or external: a crystal with displaced atoms, a liquid cooled at a rate, one in equilibrium before its minimisation, or made elsewhere"),
    "preparation": per_structure("i4", "1", "number of the preparation: structures of one preparation differ by their random numbers alone"),
    "displacement": per_structure("f8", "angstrom", "standard deviation of the random displacements, per direction"),
    "displaced_fraction": per_structure("f8", "1", "fraction of atoms displaced by that amount"),
    "vacancy_fraction": per_structure("f8", "1", "fraction of atoms removed"),
    "antisite_fraction": per_structure("f8", "1", "fraction of atoms that changed places with another species"),
    "anneal_temperature": per_structure("f8", "K", "temperature of the melt or anneal, 0 where there was none"),
    "quench_rate": per_structure("f8", "K ps-1", "cooling rate of the melt, 0 where nothing was molten"),
    "self_overlap": per_structure("f8", "1", "fraction of the particles that stayed near their places while the parent liquid was recorded"),
    "energy_drift": per_structure("f8", "1", "change of the parent liquid's energy between both halves of the record, in its standard errors"),
    "tension": per_structure("f8", "eV angstrom-2", "tension to which the frame of a sheet was brought, 0 for a free frame and for one that kept the size of the flat sheet"),
    "frame_held": per_structure("bool", "1", "whether the frame kept the size of the flat sheet while the sheet buckled"),
    "kick": per_structure("f8", "angstrom", "standard deviation of the random heights given to a flat sheet before it buckles, 0 where the sheet was not flat"),
    "n_stone_wales": per_structure("i4", "1", "number of Stone-Wales rotations"),
}  # fmt: skip
