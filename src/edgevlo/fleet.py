"""A fleet of servers, as Ray Serve's commands take it: `serve run edgevlo.fleet:build models=picturebook`."""

import functools
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
from msgspec import Meta

import edgevlo

from .models.served import aliased, served
from .runtime.errors import RequestError

if TYPE_CHECKING:
    from ray.serve import Application

Count = Annotated[int, Meta(ge=1, le=10_000)]


class Arguments(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """What `build` takes, each as `NAME=VALUE`, or under `args` of a file for `serve deploy`. Lists have commas."""

    models: str = ""
    alias: str = ""
    engines: Count = 1
    engines_at_most: Count = 4
    engines_each_node: Count | None = None
    calls_each: Annotated[float, Meta(gt=0)] = 2.0
    idle: Annotated[float, Meta(ge=0)] = 600.0
    grace: Annotated[float, Meta(ge=0)] = 600.0
    cpus: Annotated[float, Meta(ge=0)] = 1.0
    gpus: Annotated[float, Meta(ge=0)] = 0.0
    threads: Count = 1
    doors: Count = 1
    queue: Count = 64
    deadline: Annotated[float, Meta(gt=0)] = 600.0
    keep_alive: float | None = None
    journal: str | None = None
    api_key_file: str | None = None
    allow_host: str = ""
    allow_origin: str = ""
    embed_prompt: bool = False
    c2pa: bool = False
    fit_sizes: bool = False
    quiet: bool = False


def build(args: Mapping[str, Any]) -> "Application":
    """Return the application; raise `RequestError` for an argument that is unknown or wrong."""
    _check_installed()
    from edgevlo.serving.app_state import Answers
    from edgevlo.serving.engine.models import Keeping
    from edgevlo.serving.fleet.application import Scale, application
    from edgevlo.serving.fleet.replicas import EngineSettings
    from edgevlo.serving.limits import EngineLimits
    from edgevlo.serving.web.access import Access, read_keys, read_origins

    try:
        told = msgspec.convert(dict(args), Arguments, strict=False)
    except msgspec.ValidationError as error:
        raise RequestError(
            f"the fleet cannot be built from these arguments: {error}; docs/fleet.md lists them."
        ) from error
    models = _split(told.models)
    settings = EngineSettings(
        folders=functools.partial(served, models),
        aliases=aliased(_split(told.alias), served(models)),
        journal=None if told.journal is None else Path(told.journal),
        version=edgevlo.__version__,
        quiet=told.quiet,
        limits=EngineLimits(queue=told.queue, queue_each=max(1, told.queue // 2), deadline_s=told.deadline),
        keeping=Keeping(keep_alive_s=told.keep_alive, threads=told.threads),
        answers=Answers(embed_prompt=told.embed_prompt, c2pa=told.c2pa, fit_sizes=told.fit_sizes),
    )
    scale = Scale(
        engines=(told.engines, max(told.engines, told.engines_at_most)),
        calls_each=told.calls_each,
        idle_s=told.idle,
        grace_s=told.grace,
        cpus=told.cpus,
        gpus=told.gpus,
        doors=told.doors,
        engines_each_node=told.engines_each_node,
    )
    access = Access(
        hosts=Access().hosts | {name.lower() for name in _split(told.allow_host)},
        origins=read_origins(_split(told.allow_origin)),
        any_address=True,  # Ray's --http-host says where it listens
        keys=() if told.api_key_file is None else read_keys(Path(told.api_key_file)),
    )
    return application(settings, scale, access)


def _split(names: str) -> list[str]:
    return [name.strip() for name in names.split(",") if name.strip()]


def _check_installed() -> None:
    from importlib.util import find_spec

    from edgevlo.runtime.extras import install_command

    for name in ("ray", "starlette", "python_multipart"):
        if find_spec(name) is None:
            raise RequestError(f"{name} is not installed; add the fleet: {install_command('fleet')}")
