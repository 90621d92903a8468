"""What the server and a worker say to each other: a length of four bytes, then one msgpack message."""

import struct
from typing import Final, Literal, TypeAlias

import msgspec

CANCELLED: Final = "Cancelled"
CLOSING: Final = "Closing"
MAX_FRAME: Final = 256 * 1024 * 1024
LENGTH: Final = struct.Struct("<I")

PictureFormat: TypeAlias = Literal["png", "jpeg", "webp"]
PaintedRows: TypeAlias = tuple[bytes, ...]  # of each picture, the codes of `Row` one after the other
Box: TypeAlias = tuple[int, int, int, int]


class Message(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """A message, told from others by the name of its class."""


class Output(msgspec.Struct, frozen=True, kw_only=True):
    """How pictures are written.

    `quality`, 0 to 100, is that of JPEG and WebP. `embed_prompt` keeps the prompt in the file, `c2pa` signs it,
    and `fingerprint` notes what the model sees in the picture.
    """

    format: PictureFormat = "png"
    quality: int = 100
    embed_prompt: bool = False
    c2pa: bool = False
    fingerprint: bool = False


class Task(msgspec.Struct, frozen=True, kw_only=True):
    """What a model is asked to do, with a seed of its own, so that doing it again gives the same result.

    `ability` is a name of the manifest; `text` its prompt, instruction or question; `objects` what to find. `strips`
    asks for small pictures of the finished rows, `partials` for so many whole pictures on the way.
    """

    ability: str
    text: str = ""
    pictures: tuple[bytes, ...] = ()
    objects: tuple[str, ...] = ()
    size: str | None = None
    count: int = 1
    options: dict[str, int | float | str] = {}
    output: Output = Output()
    strips: bool = False
    partials: int = 0


# From the server.


class Run(Message, frozen=True, kw_only=True):
    """Carry out a task, of which some rows are painted."""

    job: str
    task: Task
    painted: PaintedRows = ()


class Cancel(Message, frozen=True, kw_only=True):
    """Stop a task before its next graph run."""

    job: str


# From the worker.


class Opened(Message, frozen=True, kw_only=True):
    """The model is open and warm; `bundle` is the SHA-256 of its manifest."""

    bundle: str


class Pulse(Message, frozen=True, kw_only=True):
    """A sign of life, twice a second: how many graphs have run so far, and the process's resident bytes."""

    runs: int
    resident: int


class OfJob(Message, frozen=True, kw_only=True):
    """A message about one job."""

    job: str


class Started(OfJob, frozen=True, kw_only=True):
    """Everything about the task was checked; tokens are those of the prompt, for one picture."""

    text_tokens: int
    image_tokens: int


class Row(OfJob, frozen=True, kw_only=True):
    """A finished row: its codes as int32, little-endian."""

    picture: int
    row: int
    rows: int
    codes: bytes


class Strip(OfJob, frozen=True, kw_only=True):
    """A small picture of finished rows: `count` of them, from `row` on, out of `rows`."""

    picture: int
    row: int
    count: int
    rows: int
    image: bytes
    width: int
    height: int


class Partial(OfJob, frozen=True, kw_only=True):
    """A whole picture on the way; what is not painted yet is grey."""

    picture: int
    index: int
    image: bytes
    width: int
    height: int


class Picture(OfJob, frozen=True, kw_only=True):
    """A finished picture and the codes it was decoded from, (rows, columns) as int32, little-endian."""

    picture: int
    image: bytes
    width: int
    height: int
    rows: int
    columns: int
    codes: bytes
    seed: int | None


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """A found object and its box (left, top, right, bottom) in pixels of the given picture."""

    label: str
    box: Box


class Answer(OfJob, frozen=True, kw_only=True):
    """What a model answered: text of so many tokens, cut where it is not whole, or the objects that it found."""

    text: str | None = None
    found: tuple[Found, ...] | None = None
    tokens: int = 0
    is_whole: bool = True


class Note(OfJob, frozen=True, kw_only=True):
    """Something the client should know, such as a picture that was read in another size.

    `unknown` are words of the request that the model does not know, where the note is about these.
    """

    text: str
    unknown: tuple[str, ...] = ()


class Done(OfJob, frozen=True, kw_only=True):
    """The task is finished; `seconds` is what the model took for it."""

    seconds: float


class Failed(OfJob, frozen=True, kw_only=True):
    """The task was not carried out: `kind` is the class of the error, or `Cancelled`."""

    kind: str
    text: str


Event: TypeAlias = Started | Row | Strip | Partial | Picture | Answer | Note | Done | Failed
ToWorker: TypeAlias = Run | Cancel
FromWorker: TypeAlias = Opened | Pulse | Event

_encoder: Final = msgspec.msgpack.Encoder()
to_worker: Final = msgspec.msgpack.Decoder(ToWorker)
from_worker: Final = msgspec.msgpack.Decoder(FromWorker)


def frame(message: Message) -> bytes:
    """Return a message with its length in front."""
    body = _encoder.encode(message)
    return LENGTH.pack(len(body)) + body
