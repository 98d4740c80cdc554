"""A few float32 values side by side, as one value of compiled code that stays in a register.

numba turns loops over arrays into such instructions only where it can prove that arrays do not overlap, and never
keeps a block of sums in registers. Products of small matrices live on that: with `Vector` they run at the
processor's speed, four times that of loops.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import llvmlite.binding as llvm
from llvmlite import ir
from numba import types
from numba.extending import intrinsic, models, register_model

LANES = 16 if llvm.get_host_cpu_features().get("avx512f") else 8  # values in a vector
FAST = ("contract", "nsz", "arcp", "reassoc")  # a product and a sum may become one instruction

_INDEX = ir.IntType(32)
_VALUES = ir.VectorType(ir.FloatType(), LANES)
_INDICES = ir.VectorType(_INDEX, LANES)


class Vector(types.Type):  # type: ignore[misc]
    """The numba type of `LANES` values of float32."""

    def __init__(self) -> None:
        super().__init__(name=f"Vector{LANES}")


@register_model(Vector)
class _Model(models.PrimitiveModel):  # type: ignore[misc]
    def __init__(self, dmm: Any, fe_type: Any):
        super().__init__(dmm, fe_type, _VALUES)


vector = Vector()


def _operation(function: Callable[..., Any]) -> Any:
    """Make an operation of compiled code of a function that says how it is compiled."""
    return intrinsic(function)


def _pointer(context: Any, builder: Any, signature: Any, args: Any) -> Any:
    data = context.make_array(signature.args[0])(context, builder, args[0]).data
    at = context.cast(builder, args[1], signature.args[1], types.intp)
    return builder.bitcast(builder.gep(data, [at]), _VALUES.as_pointer())


def _everywhere(builder: Any, value: Any, kind: Any) -> Any:
    """Return a vector that has `value` in every lane."""
    nothing = ir.Constant(kind, ir.Undefined)
    one = builder.insert_element(nothing, value, ir.Constant(_INDEX, 0))
    return builder.shuffle_vector(one, nothing, ir.Constant(_INDICES, [0] * LANES))


@_operation
def load(typingctx: Any, array: Any, at: Any) -> Any:
    """Return the values of a flat array from index `at` on."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.load(_pointer(context, builder, signature, args), align=4)

    return vector(array, at), generate


@_operation
def store(typingctx: Any, array: Any, at: Any, value: Any) -> Any:
    """Write a vector into a flat array from index `at` on."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        builder.store(args[2], _pointer(context, builder, signature, args), align=4)
        return context.get_dummy_value()

    return types.void(array, at, value), generate


@_operation
def splat(typingctx: Any, value: Any) -> Any:
    """Return a vector that has `value` in every lane."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        single = context.cast(builder, args[0], signature.args[0], types.float32)
        return _everywhere(builder, single, _VALUES)

    return vector(value), generate


@_operation
def fma(typingctx: Any, a: Any, b: Any, c: Any) -> Any:
    """Return a b + c."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.fadd(builder.fmul(args[0], args[1], flags=FAST), args[2], flags=FAST)

    return vector(a, b, c), generate


def _binary(name: str) -> Any:
    @_operation
    def operation(typingctx: Any, a: Any, b: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            return getattr(builder, name)(*args, flags=FAST)

        return vector(a, b), generate

    return operation


add, sub, mul = _binary("fadd"), _binary("fsub"), _binary("fmul")


@_operation
def first(typingctx: Any, value: Any, count: Any, other: Any) -> Any:
    """Return `value` with its first `count` lanes as they are and the number `other` in the rest."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        count = _everywhere(builder, context.cast(builder, args[1], signature.args[1], types.int32), _INDICES)
        rest = _everywhere(builder, context.cast(builder, args[2], signature.args[2], types.float32), _VALUES)
        keep = builder.icmp_signed("<", ir.Constant(_INDICES, list(range(LANES))), count)
        return builder.select(keep, args[0], rest)

    return vector(value, count, other), generate


@_operation
def put(typingctx: Any, value: Any, lane: Any, other: Any) -> Any:
    """Return `value` with the number `other` in one lane."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        lane = _everywhere(builder, context.cast(builder, args[1], signature.args[1], types.int32), _INDICES)
        other = _everywhere(builder, context.cast(builder, args[2], signature.args[2], types.float32), _VALUES)
        there = builder.icmp_signed("==", ir.Constant(_INDICES, list(range(LANES))), lane)
        return builder.select(there, other, args[0])

    return vector(value, lane, other), generate


@_operation
def total(typingctx: Any, value: Any) -> Any:
    """Return the sum of all lanes."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        count, found = LANES, args[0]
        while count > 1:
            count //= 2
            order = [(k + count) % LANES for k in range(LANES)]
            moved = builder.shuffle_vector(found, found, ir.Constant(_INDICES, order))
            found = builder.fadd(found, moved, flags=FAST)
        return builder.extract_element(found, ir.Constant(_INDEX, 0))

    return types.float32(value), generate
