"""AdamW as all networks are trained with it, and its state as the arrays of a checkpoint."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    import torch

EPSILON = 1e-8  # AdamW's own default (Loshchilov and Hutter, 2019)
MOMENTS = ("exp_avg", "exp_avg_sq")
PAGED_MOMENTS = ("state1", "state2")  # bitsandbytes' names of the same

Arrays = Mapping[str, npt.NDArray[Any]]


def new_adamw(
    parameters: Sequence[torch.nn.Parameter], *, learning_rate: float, weight_decay: float, betas: tuple[float, float]
) -> torch.optim.AdamW:
    """AdamW that does not decay biases and norms, which are the parameters of one dimension."""
    import torch

    groups = _groups(parameters, weight_decay)
    return torch.optim.AdamW(groups, lr=learning_rate, betas=betas, eps=EPSILON, fused=True)


def new_paged_adamw(
    parameters: Sequence[torch.nn.Parameter], *, learning_rate: float, weight_decay: float, betas: tuple[float, float]
) -> torch.optim.Optimizer:
    """bitsandbytes' AdamW in 32 bits, whose moments may be paged out to the host where a GPU's memory runs short."""
    from bitsandbytes.optim import PagedAdamW32bit

    optimizer: torch.optim.Optimizer = PagedAdamW32bit(
        [group for group in _groups(parameters, weight_decay) if group["params"]],
        lr=learning_rate,
        betas=betas,
        eps=EPSILON,
    )
    return optimizer


def _groups(parameters: Sequence[torch.nn.Parameter], weight_decay: float) -> list[dict[str, Any]]:
    return [
        {"params": [p for p in parameters if p.ndim > 1], "weight_decay": weight_decay},
        {"params": [p for p in parameters if p.ndim <= 1], "weight_decay": 0.0},
    ]


def arrays_of(
    parameters: Mapping[str, torch.nn.Parameter], optimizer: torch.optim.Optimizer
) -> dict[str, npt.NDArray[Any]]:
    """Each parameter by its name, and its moments where it has some by `name.exp_avg`, all float32."""
    arrays: dict[str, npt.NDArray[Any]] = {}
    for name, parameter in parameters.items():
        arrays[name] = _as_array(parameter)
        moments = optimizer.state.get(parameter, {})
        own = _own_names(optimizer)
        arrays |= {f"{name}.{kind}": _as_array(moments[own[kind]]) for kind in MOMENTS if own[kind] in moments}
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
                given = {kind: torch.from_numpy(arrays[f"{name}.{kind}"].copy()) for kind in MOMENTS}
                optimizer.state[parameter] = _state(optimizer, parameter, given, steps_of(name))


def _state(
    optimizer: Any, parameter: torch.nn.Parameter, given: Mapping[str, torch.Tensor], steps: float
) -> dict[str, Any]:
    """A parameter's state as its optimizer keeps it."""
    import torch

    device, own = parameter.device, _own_names(optimizer)
    if own[MOMENTS[0]] == MOMENTS[0]:
        # The fused kernels keep the count of steps beside the moments.
        return {"step": torch.tensor(steps, device=device), **{kind: value.to(device) for kind, value in given.items()}}
    # Memory that may be paged is bitsandbytes' own to give.
    moments = {own[kind]: optimizer.get_state_buffer(parameter).copy_(value) for kind, value in given.items()}
    return {"step": int(steps), **moments}


def _own_names(optimizer: Any) -> Mapping[str, str]:
    """What an optimizer calls the moments."""
    import torch

    names = MOMENTS if isinstance(optimizer, torch.optim.AdamW) else PAGED_MOMENTS
    return dict(zip(MOMENTS, names, strict=True))


class AdamWSteps:
    """AdamW on the parameters of a network, step by step: counted, clipped, put to disk and restored to the bit.

    What is drawn at random in a step depends on the seed and the step's number alone.
    """

    def __init__(
        self,
        parameters: Mapping[str, torch.nn.Parameter],
        *,
        learning_rate: float,
        weight_decay: float,
        betas: tuple[float, float],
        most_norm: float,
        seed: int,
    ) -> None:
        self.parameters = parameters
        self.number = 0
        self._learning_rate = learning_rate
        self._most_norm = most_norm
        self._seed = seed
        self._optimizer = new_adamw(
            list(parameters.values()), learning_rate=learning_rate, weight_decay=weight_decay, betas=betas
        )

    def seed_of(self, *numbers: int) -> int:
        """A seed for what is drawn in this step, and in the part of it that has these numbers."""
        state = np.random.SeedSequence([self._seed, self.number, *numbers]).generate_state(1, np.uint64)
        return int(state[0])

    def clear(self) -> None:
        """Forget the gradients of the step before."""
        self._optimizer.zero_grad(set_to_none=True)

    def take(self, loss: float, rate_factor: float) -> float:
        """Take the step of the gradients that are there; the loss. One that is not finite changes nothing."""
        import torch

        self.number += 1
        if not math.isfinite(loss):
            return loss
        torch.nn.utils.clip_grad_norm_(self.parameters.values(), self._most_norm)
        for group in self._optimizer.param_groups:
            group["lr"] = self._learning_rate * rate_factor
        self._optimizer.step()
        return loss

    def state(self) -> Mapping[str, npt.NDArray[Any]]:
        """Weights and moments, all float32."""
        return arrays_of(self.parameters, self._optimizer)

    def restore(self, arrays: Arrays, number: int) -> None:
        """Take over what `state` gave after so many steps."""
        self.number = number
        restore_arrays(self.parameters, self._optimizer, arrays, lambda name: float(number))


def _as_array(tensor: torch.Tensor) -> npt.NDArray[Any]:
    array: npt.NDArray[Any] = tensor.detach().float().cpu().numpy()
    return array
