"""AdamW as both networks are trained with it, and its state as the arrays of a checkpoint."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy.typing as npt

if TYPE_CHECKING:
    import torch

EPSILON = 1e-8  # AdamW's own default (Loshchilov and Hutter, 2019)
MOMENTS = ("exp_avg", "exp_avg_sq")

Arrays = Mapping[str, npt.NDArray[Any]]


def new_adamw(
    parameters: Sequence[torch.nn.Parameter], *, learning_rate: float, weight_decay: float, betas: tuple[float, float]
) -> torch.optim.AdamW:
    """AdamW that does not decay biases and norms, which are the parameters of one dimension."""
    import torch

    groups: list[dict[str, Any]] = [
        {"params": [p for p in parameters if p.ndim > 1], "weight_decay": weight_decay},
        {"params": [p for p in parameters if p.ndim <= 1], "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, lr=learning_rate, betas=betas, eps=EPSILON, fused=True)


def arrays_of(
    parameters: Mapping[str, torch.nn.Parameter], optimizer: torch.optim.Optimizer
) -> dict[str, npt.NDArray[Any]]:
    """Each parameter by its name, and its moments where it has some by `name.exp_avg`, all float32."""
    arrays: dict[str, npt.NDArray[Any]] = {}
    for name, parameter in parameters.items():
        arrays[name] = _as_array(parameter)
        moments = optimizer.state.get(parameter, {})
        arrays |= {f"{name}.{kind}": _as_array(moments[kind]) for kind in MOMENTS if kind in moments}
    return arrays


def restore_arrays(
    parameters: Mapping[str, torch.nn.Parameter],
    optimizer: torch.optim.Optimizer,
    arrays: Arrays,
    steps_of: Callable[[str], float],
) -> None:
    """Take over what `arrays_of` gave; `steps_of` tells by a parameter's name how many steps it has behind it."""
    import torch

    with torch.no_grad():
        for name, parameter in parameters.items():
            parameter.copy_(torch.from_numpy(arrays[name]))
            if f"{name}.{MOMENTS[0]}" in arrays:
                device = parameter.device
                moments = {kind: torch.from_numpy(arrays[f"{name}.{kind}"].copy()).to(device) for kind in MOMENTS}
                # The fused kernels keep the count of steps beside the moments.
                optimizer.state[parameter] = {"step": torch.tensor(steps_of(name), device=device), **moments}


def _as_array(tensor: torch.Tensor) -> npt.NDArray[Any]:
    array: npt.NDArray[Any] = tensor.detach().float().cpu().numpy()
    return array
