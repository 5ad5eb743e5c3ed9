"""Four numbers that the processor multiplies and adds at once, in compiled kernels.

LLVM does so by itself in loops over arrays, but must check each time that no array overlaps with
another, which takes longer than a short loop. Its other way, for lines that are alike, is switched
off in Numba since it made wrong code (numba pull request 8852). Here it is told what to do.

>>> import numpy as np
>>> from glassdata.kernels import compiled
>>> @compiled
... def doubled(x):
...     store(x, 0, 0, 0, plus(times(2.0, load(x, 0, 0, 0)), zeros()))
>>> x = np.arange(4.0).reshape(1, 1, 4)
>>> doubled(x)
>>> x.ravel().tolist()
[0.0, 2.0, 4.0, 6.0]
"""

from typing import Any

from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic, models, register_model

#: How many numbers.
LANES = 4
_VECTOR = ir.VectorType(ir.DoubleType(), LANES)
# As of ``fastmath``: products may be fused with sums, sums reordered.
_FLAGS = ("contract", "reassoc", "nsz")
# Numbers of arrays lie at multiples of their own size, not of that of four.
_ALIGNED = 8


class _Four(types.Type):
    """Numba's type of four float64."""

    def __init__(self) -> None:
        super().__init__(name="Four")


@register_model(_Four)
class _FourModel(models.PrimitiveModel):
    """Its place: one register of the processor, or two."""

    def __init__(self, manager, numba_type) -> None:
        super().__init__(manager, numba_type, _VECTOR)


# A type checker would miss the context in each call, which Numba adds.
_intrinsic: Any = intrinsic
_FOUR = _Four()
_PLACE = (types.uintp, types.uintp, types.uintp)


def _is_ours(array) -> bool:
    """Whether four numbers lie side by side: of other arrays, compilation fails."""
    known = isinstance(array, types.Array)
    return known and (array.dtype, array.ndim, array.layout) == (types.float64, 3, "C")


def _pointer(context, builder, signature, arguments):
    """Address of ``array[i, a, k]`` as one of four numbers."""
    array = context.make_array(signature.args[0])(context, builder, arguments[0])
    shape, strides = (cgutils.unpack_tuple(builder, each) for each in (array.shape, array.strides))
    layout, index = signature.args[0].layout, arguments[1:4]
    place = cgutils.get_item_pointer2(context, builder, array.data, shape, strides, layout, index)
    return builder.bitcast(place, _VECTOR.as_pointer())


@_intrinsic
def load(typing, array, i, a, k):
    """Four numbers of an array, ``array[i, a, k:k + 4]``.

    Parameters
    ----------
    typing
        Given by Numba.
    array : (n, d, m) float64, C-contiguous
    i, a, k : int
        Place of the first; not checked.

    Examples
    --------
    See the module.
    """

    def generate(context, builder, signature, arguments):
        return builder.load(_pointer(context, builder, signature, arguments), align=_ALIGNED)

    return (_FOUR(array, *_PLACE), generate) if _is_ours(array) else None


@_intrinsic
def store(typing, array, i, a, k, four):
    """Put four numbers at ``array[i, a, k:k + 4]``.

    Parameters
    ----------
    typing
        Given by Numba.
    array, i, a, k
        As in ``load``.
    four
        What is put there.

    Examples
    --------
    See the module.
    """

    def generate(context, builder, signature, arguments):
        place = _pointer(context, builder, signature, arguments)
        builder.store(arguments[4], place, align=_ALIGNED)
        return context.get_dummy_value()

    return (types.none(array, *_PLACE, _FOUR), generate) if _is_ours(array) else None


@_intrinsic
def times(typing, number, four):
    """A number times each of four.

    Parameters
    ----------
    typing
        Given by Numba.
    number : float64
    four
        Of ``load``, or made of such.

    Examples
    --------
    See the module.
    """

    def generate(context, builder, signature, arguments):
        nowhere, first = ir.Constant(_VECTOR, ir.Undefined), ir.Constant(ir.IntType(32), 0)
        alone = builder.insert_element(nowhere, arguments[0], first)
        everywhere = ir.Constant(ir.VectorType(ir.IntType(32), LANES), [0] * LANES)
        spread = builder.shuffle_vector(alone, nowhere, everywhere)
        return builder.fmul(spread, arguments[1], flags=_FLAGS)

    return _FOUR(types.float64, _FOUR), generate


@_intrinsic
def plus(typing, one, other):
    """Sums of four numbers and four others.

    Parameters
    ----------
    typing
        Given by Numba.
    one, other
        As ``four`` in ``times``.

    Examples
    --------
    See the module.
    """

    def generate(context, builder, signature, arguments):
        return builder.fadd(*arguments, flags=_FLAGS)

    return _FOUR(_FOUR, _FOUR), generate


@_intrinsic
def zeros(typing):
    """Four zeros."""

    def generate(context, builder, signature, arguments):
        return ir.Constant(_VECTOR, [0.0] * LANES)

    return _FOUR(), generate
