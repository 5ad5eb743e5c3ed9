"""Protocols in turn: every structure has one maker, its own random numbers, and its own family."""

from collections import Counter
from dataclasses import dataclass, replace

import numpy as np
import pytest
from ase.build import bulk

import glassdata as gd
from glassdata.config import digest
from glassdata.protocols import Joined, Part
from glassdata.protocols.plan import generator
from glassdata.row import make_structure

TURNS = (3, 2, 1)


@dataclass(frozen=True)
class Draws:
    """Makes an atom at a random place; families of two, and its preparations in turn."""

    letter: str
    preparations: int = 0
    max_force: float = 1.0
    n_structures: int = 1

    def largest(self, system):
        return ord(self.letter)

    def science(self):
        return {"letter": self.letter, "preparations": self.preparations}

    def __call__(self, system, index):
        atoms = bulk("Ar", a=5.0)
        atoms.positions += generator(system.name, index, "melt").random(3)
        atoms.info = {"parent": index - index % 2, "replicate": True, "letter": self.letter}
        if self.preparations:
            atoms.info["preparation"] = index % self.preparations
        return atoms


def joined(n=600, replicated=1):
    parts = (Draws("a"), Draws("b", preparations=3), Draws("c", preparations=2))
    return Joined(n, tuple(map(Part, TURNS, parts)), replicated)


@pytest.fixture(scope="module")
def made():
    protocol = joined()
    return [protocol(gd.SYSTEMS["lj3d"], index) for index in range(60)]


def test_numbers_of_parts_and_of_the_whole_are_each_other_s_inverse():
    protocol = joined()
    places = [protocol.part_of(index) for index in range(600)]
    assert len(set(places)) == 600
    assert [protocol.index_of(*place) for place in places] == list(range(600))
    for part in range(3):  # each part makes its structures in order, and leaves none out
        mine = [number for k, number in places if k == part]
        assert mine == list(range(len(mine)))


@pytest.mark.parametrize("n", [6, 20, 31, 600])
def test_every_prefix_holds_all_parts_in_proportion(n):
    found = Counter(joined().part_of(index)[0] for index in range(n))
    for part, turns in enumerate(TURNS):
        # Within a cycle of six a part is never a whole structure ahead or behind.
        assert abs(found[part] - n * turns / sum(TURNS)) < 1


def test_no_two_structures_draw_the_same_numbers(made):
    assert len({atoms.positions.tobytes() for atoms in made}) == len(made)


def test_the_first_part_makes_what_it_makes_alone(made):
    protocol, system = joined(), gd.SYSTEMS["lj3d"]
    for number in range(10):
        alone = protocol.parts[0].protocol(system, number)
        assert np.array_equal(alone.positions, made[protocol.index_of(0, number)].positions)


def test_a_family_lies_within_one_part_and_is_named_after_its_first(made):
    families = {}
    for index, atoms in enumerate(made):
        families.setdefault(atoms.info["parent"], []).append((index, atoms.info["letter"]))
    for parent, members in families.items():
        assert parent == members[0][0]
        assert len({letter for _, letter in members}) == 1
        assert len(members) <= 2
    assert len(families) == 30


def test_preparations_of_different_parts_have_different_numbers(made):
    found = {}
    for atoms in made:
        found.setdefault(atoms.info["letter"], set()).add(atoms.info.get("preparation"))
    assert found == {"a": {None}, "b": {0, 1, 2}, "c": {3, 4}}
    assert joined().preparations == 5


def test_replicates_are_those_of_one_part(made):
    assert {atoms.info["letter"] for atoms in made if atoms.info["replicate"]} == {"b"}


def test_every_setting_of_every_part_is_science():
    protocol = joined()
    first, *rest = protocol.parts
    others = [
        replace(protocol, replicated=0),
        replace(protocol, parts=(*rest, first)),
        replace(protocol, parts=tuple(rest)),
        replace(protocol, parts=(replace(first, turns=4), *rest)),
        replace(protocol, parts=(Part(3, Draws("z")), *rest)),
    ]
    assert len({digest(one.science()) for one in (protocol, *others)}) == 6
    longer = replace(protocol, n_structures=6000)
    assert digest(longer.science()) == digest(protocol.science())


def test_the_largest_structure_is_that_of_any_part():
    assert joined().largest(gd.SYSTEMS["lj3d"]) == ord("c")


@pytest.mark.parametrize("change", [{"replicated": 3}, {"n_structures": 0}])
def test_settings_that_make_no_sense_are_named(change):
    with pytest.raises(ValueError, match=next(iter(change))):
        replace(joined(), **change)
    with pytest.raises(ValueError, match="turns"):
        Part(0, Draws("a"))


def test_an_alloy_has_both_ensembles():
    system = gd.SYSTEMS["cualzr"]
    displaced, cooled = (make_structure(system, index) for index in (0, 1))
    assert (displaced.info["ensemble"], cooled.info["ensemble"]) == ("displaced", "quenched")
    assert "preparation" not in displaced.info
    protocol = system.protocols["demo"].parts[1].protocol
    cooling = protocol.coolings[cooled.info["preparation"]]
    assert len(cooled) / cooled.get_volume() == pytest.approx(cooling.density)


@pytest.mark.parametrize("replicated", [-1, 2, 3])
def test_replicates_are_of_a_part_that_is_there(replicated):
    parts = gd.SYSTEMS["cualzr"].protocols["demo"].parts
    assert len(parts) == 2
    with pytest.raises(ValueError, match=f"one of 2 parts, got {replicated}"):
        Joined(8, parts, replicated)
