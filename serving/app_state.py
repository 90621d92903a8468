"""What every route needs: the engine, whom it lets in, and how this server was told to answer."""

import functools
from dataclasses import dataclass, field
from typing import cast

from starlette.requests import Request

from edgevlo.runtime.errors import RequestError
from edgevlo.runtime.pictures.sizes import GridRule, parse_size

from .engine.engine import Engine, with_seed
from .engine.errors import EngineError
from .engine.job import Job
from .engine.messages import Failed, Output, PictureFormat, Task
from .engine.models import Served, UnknownModelError
from .kiosk.settings import Kiosk
from .limits import RequestLimits
from .web.access import Access
from .web.errors import bad_request, of_engine, of_failed, of_unknown_model
from .web.stream import or_leave


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """How this server answers.

    `embed_prompt` writes prompts into files, `c2pa` signs them, `fingerprint` logs what they look like;
    `fit_sizes` paints the nearest size it can.
    """

    embed_prompt: bool = False
    c2pa: bool = False
    fingerprint: bool = False
    fit_sizes: bool = False
    kiosk: Kiosk | None = None
    comment_every_s: float = 10.0  # in a stream in which nothing happens

    def written(self, picture_format: PictureFormat | None, quality: int = 100) -> Output:
        """Return how pictures of a format are written, PNG if there is none."""
        return Output(
            format=picture_format or "png", quality=quality, embed_prompt=self.embed_prompt, c2pa=self.c2pa,
            fingerprint=self.fingerprint,
        )  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """One running server."""

    engine: Engine
    access: Access
    answers: Answers
    version: str
    instance: str
    limits: RequestLimits = field(default_factory=RequestLimits)

    def find(self, model: str | None) -> Served:
        """Return the model of a name; raise the 404 that lists those there are."""
        try:
            return self.engine.models.find(model)
        except UnknownModelError as error:
            raise of_unknown_model(error, self.names()) from error

    def names(self) -> list[str]:
        """Return the names that a request may give as its model."""
        return [*self.engine.models.served, *self.engine.models.aliases]

    def submit(
        self,
        request: Request,
        task: Task,
        *,
        model: str | None,
        user: str | None = None,
        keep: bool = False,
        survives: bool = False,
    ) -> Job:
        """Put a task into the queue for the client of a request; raise `ApiError` when it is not taken.

        In a fleet the request brings a `seed`, so that another engine gives the same answer, and takes its `job` along.
        """
        served = self.find(model)
        if task.ability not in served.manifest.abilities:
            has = ", ".join(sorted(served.manifest.abilities))
            raise bad_request(
                f"{served.name} does not support {task.ability!r}. Supported: {has}.", "model", "unsupported_ability"
            )
        state = request.scope["state"]
        if "seed" in state:
            task = with_seed(task, state["seed"])
        try:
            client = client_of(request, user)
            job = self.engine.submit(task, model=model, client=client, keep=keep, survives=survives)
        except EngineError as error:
            raise of_engine(error) from error
        state["job"] = job
        return job

    async def finished(self, request: Request, job: Job) -> bool:
        """Wait for a job; return False when its client left, which stops it, and raise the error of one that failed."""
        if not await or_leave(request, job.wait(), functools.partial(self.engine.cancel, job)):
            return False
        if isinstance(job.end, Failed):
            raise of_failed(job.end)
        return True

    def size(self, served: Served, asked: str | None, param: str = "size") -> str | None:
        """Return the size to paint, None for the model's own; raise the 400 that names the nearest."""
        if asked is None or asked == "auto":
            return None
        rule = GridRule(grid=served.manifest.grid, cell=served.manifest.codes.cell)
        try:
            width, height = parse_size(asked, rule)
            if self.answers.fit_sizes and width and height:
                width, height = rule.size(rule.nearest(width, height))
            rule.shape((width, height))
        except RequestError as error:
            raise bad_request(str(error), param, "invalid_value") from error
        return f"{width}x{height}"


def site_of(request: Request) -> Site:
    """Return the server that a request came to."""
    return cast(Site, request.app.state.site)


def client_of(request: Request, user: str | None) -> str:
    """Return whom a request counts for in the queue: the key, or the address, and the user that the request names."""
    owner = request.scope["state"].get("client") or (request.client.host if request.client else "?")
    return f"{owner} {user}" if user else owner
