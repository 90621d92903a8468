"""What the toy bundle paints, reads and answers, as lists and strings; run as a program, it records them anew."""

import json
from pathlib import Path
from typing import Any, Final

from toy_bundle import TOY
from toy_reference import codes_of, flat_picture

from edgevlo.runtime.model import Model

RECORDED: Final = Path(__file__).parent / "toy_outputs.json"
SOURCE: Final = [[5, 6, 7], [8, 9, 10]]


def outputs(model: Model) -> dict[str, Any]:
    """Return everything that is recorded of a model."""
    picture = flat_picture(SOURCE)
    (*_, edited), (*_, segments) = model.edit_rows(picture, "on it", seed=2), model.perceive_rows("segment", picture)
    painted = codes_of(model, "a red car", seed=1, size=(12, 16))
    return {
        "a red car": painted.tolist(),
        "a red car, greedy": codes_of(model, "a red car", temperature=0, size=(12, 16)).tolist(),
        "一辆红车, top-k 5, top-p 0.9": codes_of(model, "一辆红车", seed=3, top_k=5, top_p=0.9).tolist(),
        "edit: on it": edited.codes.tolist(),
        "segment": segments.codes.tolist(),
        "ask: where is it": model.ask(picture, "where is it"),
        "pixels": list(model.decode(painted).getpixel((0, 0))),  # type: ignore[arg-type]
        "tokenized": model.tokenize(picture).tolist(),
    }


if __name__ == "__main__":
    RECORDED.write_text(json.dumps(outputs(Model.open(TOY)), ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
