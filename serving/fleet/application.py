"""The application of Ray Serve: how many engines and doors there are, where, and when there are more of them."""

from dataclasses import dataclass
from typing import Final

from ray import serve
from ray.serve.config import AutoscalingConfig, RequestRouterConfig

from ..web.access import Access
from .replicas import DoorReplica, EngineReplica, EngineSettings
from .routing import ByOwner

_LOOKING: Final = 64  # calls of an engine that only look at paintings, beside those that wait in its queue
_DOOR_CALLS: Final = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """How many engines there are, and what each may use.

    There are as many that each has `calls_each` requests at once, one of which it works on; `idle_s` is how long there
    must be fewer until one ends. `grace_s` is how long one that is to end may work on what it has taken.
    """

    engines: tuple[int, int] = (1, 4)  # at least, at most
    calls_each: float = 2.0
    idle_s: float = 600.0
    grace_s: float = 600.0
    cpus: float = 1.0
    gpus: float = 0.0
    doors: int = 1
    doors_each_node: int | None = 1
    engines_each_node: int | None = None


def application(settings: EngineSettings, scale: Scale, access: Access) -> serve.Application:
    """Return what `serve.run` runs."""
    least, most = scale.engines
    engines = serve.deployment(
        EngineReplica,
        name="engines",
        max_ongoing_requests=settings.limits.queue + _LOOKING,
        max_queued_requests=settings.limits.queue,
        max_replicas_per_node=scale.engines_each_node,
        ray_actor_options={"num_cpus": scale.cpus, "num_gpus": scale.gpus},
        graceful_shutdown_timeout_s=scale.grace_s,
        request_router_config=RequestRouterConfig(request_router_class=ByOwner),
        autoscaling_config=AutoscalingConfig(
            min_replicas=least,
            max_replicas=most,
            target_ongoing_requests=scale.calls_each,
            downscale_delay_s=scale.idle_s,
        ),
    )
    front = serve.deployment(
        DoorReplica,
        name="doors",
        num_replicas=scale.doors,
        max_ongoing_requests=_DOOR_CALLS,
        max_replicas_per_node=scale.doors_each_node,
        ray_actor_options={"num_cpus": 0},
    )
    return front.bind(engines.bind(settings), access)
