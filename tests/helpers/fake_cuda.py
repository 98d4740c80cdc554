"""A CUDA device that is not there: its tensors hold the processor's, and mixing both is refused as CUDA would.

What is found out with it: tensors, indices and generators left on the wrong device, and results that would be
others there. What is not: kernels of CUDA, graphs, bfloat16 autocast, time and memory.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import cache
from typing import Any
from unittest import mock

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode, return_and_correct_aliasing

from untaught.methods.networks.cuda_graphs import Recorded

DEVICE = torch.device("cuda", 0)
CROSSING = ("_to_copy", "copy_")  # the operations that take tensors of both devices
INDEXED = ("index", "index_put_", "_index_put_impl_")  # whose indices may lie on the processor
REAL_TENSOR, REAL_AS_TENSOR = torch.tensor, torch.as_tensor


class There(Tensor):
    """A tensor on the device. To torch it is one of `meta`, for which a build without CUDA can go backwards."""

    held: Tensor
    device = property(lambda self: DEVICE)  # type: ignore[assignment]
    is_cuda = property(lambda self: True)  # type: ignore[assignment]
    is_cpu = property(lambda self: False)  # type: ignore[assignment]
    is_meta = property(lambda self: False)  # type: ignore[assignment]
    __torch_function__ = torch._C._disabled_torch_function_impl

    @staticmethod
    def __new__(cls, held: Tensor) -> There:
        layout = {"strides": held.stride(), "storage_offset": held.storage_offset(), "dtype": held.dtype}
        made: There = Tensor._make_wrapper_subclass(cls, held.shape, device="meta", **layout)  # type: ignore[attr-defined]
        made.held = held
        return made

    @classmethod
    def __torch_dispatch__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return run(func, args, kwargs or {})

    def new_tensor(self, data: Any, dtype: torch.dtype | None = None) -> Tensor:  # type: ignore[override]
        return REAL_TENSOR(data, dtype=dtype or self.dtype).to(DEVICE)

    def tolist(self) -> Any:
        return self.held.tolist()

    def __array__(self, *_: Any) -> Any:
        raise TypeError("can't convert cuda:0 device type tensor to numpy")

    numpy = __array__


class Generator(torch.Generator):
    """A generator that knows where it draws."""

    there: bool
    device = property(lambda self: DEVICE if self.there else torch.device("cpu"))  # type: ignore[assignment]

    def __new__(cls, device: Any = "cpu") -> Generator:
        made = super().__new__(cls)
        made.there = torch.device(device).type == "cuda"
        return made


class Mode(TorchDispatchMode):
    """Looks at every operation while the device is pretended."""

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return run(func, args, kwargs or {})


class Draws(TorchFunctionMode):
    """Looks at every draw, for what is dispatched has lost what kind of generator was given."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        generator = kwargs.get("generator")
        if generator is not None:
            like = args[0].device if args and isinstance(args[0], Tensor) else "cpu"
            if getattr(generator, "device", like).type != torch.device(kwargs.get("device") or like).type:
                raise RuntimeError(f"{func}: Expected a generator of the device of the tensor")
        return func(*args, **kwargs)


def run(func: Any, args: Any, kwargs: dict[str, Any]) -> Any:
    """Run one operation on what the tensors hold, if CUDA would."""
    name, flat = func.overloadpacket.__name__, list(_leaves((args, kwargs)))
    there = _is_there(name, args, kwargs, flat)
    _refuse(name, args, flat)
    if kwargs.get("device") is not None:
        kwargs = {**kwargs, "device": torch.device("cpu")}
    known = {id(a.held): a for a in flat if isinstance(a, There)}
    bare, named = (
        _changed(lambda a: a.held if isinstance(a, There) else a, (args, kwargs)) if known else (args, kwargs)
    )
    out = func(*bare, **named)
    if not there:
        return out.clone() if name == "_to_copy" and id(out) in known else out
    if name == "_conj":  # a flag, which `There` does not carry
        return There(out.resolve_conj())
    out = _changed(lambda o: (known[id(o)] if id(o) in known else There(o)) if isinstance(o, Tensor) else o, out)
    shares = known and name not in CROSSING and _shares(func)
    return return_and_correct_aliasing(func, args, kwargs, out) if shares else out


def _leaves(tree: Any) -> Iterator[Any]:
    """Return what is in nested tuples, lists and mappings; torch's own way takes most of the time of a test."""
    if isinstance(tree, (tuple, list, dict)):
        for branch in tree.values() if isinstance(tree, dict) else tree:
            yield from _leaves(branch)
    else:
        yield tree


def _changed(change: Callable[[Any], Any], tree: Any) -> Any:
    """Return the same tree with other leaves."""
    if isinstance(tree, dict):
        return {name: _changed(change, branch) for name, branch in tree.items()}
    if isinstance(tree, (tuple, list)):
        return type(tree)([_changed(change, branch) for branch in tree])
    return change(tree)


@cache
def _shares(func: Any) -> bool:
    """Tell whether what an operation returns may share memory with what it is given."""
    return any(returned.alias_info is not None for returned in func._schema.returns)


def _is_there(name: str, args: Any, kwargs: dict[str, Any], flat: list[Any]) -> bool:
    """Say whether the outcome of an operation is on the device."""
    asked = kwargs.get("device")
    if asked is not None:
        return torch.device(asked).type in ("cuda", "meta")
    return isinstance(args[0], There) if name == "copy_" else any(isinstance(a, There) for a in flat)


def _refuse(name: str, args: Any, flat: list[Any]) -> None:
    """Refuse tensors of both devices, but for numbers."""
    tensors = [a for a in flat if isinstance(a, Tensor)]
    there = any(isinstance(a, There) for a in tensors)
    here = any(not isinstance(a, There) and a.dim() for a in tensors)
    allowed = name in CROSSING or (name in INDEXED and isinstance(args[0], There))
    if there and here and not allowed:
        raise RuntimeError(f"{name}: Expected all tensors to be on the same device")


def _tensor(data: Any, *, dtype: Any = None, device: Any = None) -> Tensor:
    made = REAL_TENSOR(data, dtype=dtype)
    return made if device is None else made.to(device)


def _as_tensor(data: Any, dtype: Any = None, device: Any = None) -> Tensor:
    made = data if isinstance(data, Tensor) else REAL_AS_TENSOR(data, dtype=dtype)
    return made.to(device=device or made.device, dtype=dtype or made.dtype)


@contextmanager
def device() -> Iterator[None]:
    """Pretend that there is a device, under the name of "cuda", and that passes on it need no recording."""
    import torch._dynamo  # noqa: F401 - which is loaded by the first use of a mode, and needs the real names

    instead = {
        "torch.Generator": Generator,
        "torch.tensor": _tensor,
        "torch.as_tensor": _as_tensor,
        "torch.cuda.is_available": lambda: True,
        "torch.cuda.is_bf16_supported": lambda *_: True,
        "torch.cuda._lazy_init": lambda: None,
        "torch.cuda.get_rng_state": lambda *_: None,
        "torch.cuda.set_rng_state": lambda *_: None,
        "untaught.pipeline.request.device_of": lambda name: "cuda:0" if name == "cuda" else name,
    }
    plain = mock.patch.object(Recorded, "_replayed", lambda self, x, settings: self.plain(x, *settings))
    with ExitStack() as stack:
        for name, other in instead.items():
            stack.enter_context(mock.patch(name, other))
        stack.enter_context(plain)
        stack.enter_context(Mode())
        stack.enter_context(Draws())
        yield
