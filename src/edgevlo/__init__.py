"""EdgeVLo runs unified image models on small devices: they read pictures, answer, paint, edit and perceive.

    import edgevlo

    model = edgevlo.load()
    picture = model.paint("a red car", size=(128, 128), seed=7)  # a PIL image
    edgevlo.save_png(picture, "car.png")  # with prompt, seed and the mark of AI-made pictures

Importing is cheap; numpy and ONNX Runtime are loaded by the first `load`.
"""

import os

TYPE_CHECKING = False  # typing.TYPE_CHECKING without importing typing

# ONNX Runtime's wheels from 1.29 on send names and hashes of models to their maker, and keep an identifier in the home
# folder, unless this is set before they are imported. Whoever wants that sets it to 0.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

if TYPE_CHECKING:
    from pathlib import Path

    from edgevlo.runtime.c2pa.sign import sign
    from edgevlo.runtime.errors import EdgevloError
    from edgevlo.runtime.generate.detections import Detection
    from edgevlo.runtime.generate.stroke import Stroke
    from edgevlo.runtime.generate.understanding import PromptWarning
    from edgevlo.runtime.model import Model
    from edgevlo.runtime.pictures.load import PictureWarning
    from edgevlo.runtime.pictures.write_marks import png_bytes, save_png

__version__ = "0.1.0"
__all__ = [
    "Detection",
    "EdgevloError",
    "Model",
    "PictureWarning",
    "PromptWarning",
    "Stroke",
    "__version__",
    "load",
    "png_bytes",
    "save_png",
    "sign",
]

_HOMES = {
    "Detection": "edgevlo.runtime.generate.detections",
    "EdgevloError": "edgevlo.runtime.errors",
    "Model": "edgevlo.runtime.model",
    "PictureWarning": "edgevlo.runtime.pictures.load",
    "PromptWarning": "edgevlo.runtime.generate.understanding",
    "Stroke": "edgevlo.runtime.generate.stroke",
    "png_bytes": "edgevlo.runtime.pictures.write_marks",
    "save_png": "edgevlo.runtime.pictures.write_marks",
    "sign": "edgevlo.runtime.c2pa.sign",
}


def load(model: "str | Path | None" = None, *, threads: int = 0) -> "Model":
    """Open a model: a bundle folder, the name of an installed bundle, or a hub id.

    Without one, opens the model that the environment variable `EDGEVLO_MODEL` names, or the embedded picturebook.
    It runs on at most `threads` CPU threads; 0 means `$EDGEVLO_THREADS`, or all CPUs that this process may use.
    Raises `EdgevloError` when the bundle is missing or damaged.
    """
    from edgevlo.models.find import find
    from edgevlo.runtime.model import Model

    return Model.open(find(model), threads=threads)


def __dir__() -> list[str]:
    return __all__


if not TYPE_CHECKING:  # for type checkers every misspelt name would be an `object` otherwise

    def __getattr__(name: str) -> object:
        if name not in _HOMES:
            raise AttributeError(f"module 'edgevlo' has no attribute {name!r}")
        from importlib import import_module

        return getattr(import_module(_HOMES[name]), name)
